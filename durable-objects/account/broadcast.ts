import type { Day } from "../../src/domain/ledger/period.ts";
import type { AccountAnswer, AccountAsk, AccountView } from "./account-protocol.ts";
import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import { askEach, type AskLimits } from "./ask-each.ts";
import type { PoolDesk } from "./pool-allocator.ts";
import type { Recall } from "./pool-recalls.ts";

// What the account says to tenants' objects by itself: that calls are possible again, to those that were
// denied some, and the question for what they hold and do not use. What one does not hear is said again
// by the alarm.

/** An object answers in milliseconds. One that does not is asked again by the alarm. */
const LIMITS: AskLimits = { atOnce: 50, eachMs: 3000, allMs: 10_000 };

/** How long a tenant waits for others that are asked for what it needs. */
const RECALL_WAIT_MS = 1_000;

/** A tenant's object, as far as this is concerned. */
export interface ToldTenant {
  hearAccount(view: AccountView): Promise<unknown>;
  /** @param keep so much of what it does not use it may keep, if it is busy */
  giveBack(life: number, day: Day, keep: MicroNeurons): Promise<void>;
}

export interface TellDeps {
  readonly desk: PoolDesk;
  readonly tenant: (id: string) => ToldTenant;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

/** What the alarm does about tenants that were denied something: it tells the next few. */
export async function tellDenied({ desk, tenant, transact }: TellDeps): Promise<void> {
  const { view, tenants } = transact((nowMs) => desk.nextToTell(nowMs));
  const tell = async (id: string): Promise<void> => {
    await tenant(id).hearAccount(view);
    transact(() => desk.confirmTold(id, view));
  };
  await askEach(tenants, tell, LIMITS);
}

/** What the alarm does about leases that others wait for. */
export async function recallLeases(deps: TellDeps): Promise<void> {
  await recall(
    deps,
    deps.transact((nowMs) => deps.desk.toRecall(nowMs)),
  );
}

/** A tenant that gives back tells so in a message of its own, before this resolves. */
async function recall({ tenant }: TellDeps, recalls: readonly Recall[]): Promise<void> {
  const ask = ({ tenant: id, life, day, keep }: Recall) => tenant(id).giveBack(life, day, keep);
  await askEach(recalls, ask, LIMITS);
}

/**
 * Answers a tenant. If it would be refused for what others do not use, they are asked for that first,
 * so that its call need not come again. A tenant that gives back asks for nothing in the same message:
 * so no two of these wait for each other.
 */
export async function answerAsk(
  deps: TellDeps & { readonly sleep: (ms: number) => Promise<void> },
  ask: AccountAsk,
  /** The life of the tenant has not ended: it may end while others are asked. */
  isLive: () => boolean,
): Promise<AccountAnswer> {
  const { desk, transact, sleep } = deps;
  if (!isLive()) return { kind: "over" };
  const recalls = transact((nowMs) => desk.recallsBefore(ask, nowMs));
  if (recalls.length > 0) await Promise.race([recall(deps, recalls), sleep(RECALL_WAIT_MS)]);
  return isLive() ? transact((nowMs) => desk.ask(ask, nowMs)) : { kind: "over" };
}
