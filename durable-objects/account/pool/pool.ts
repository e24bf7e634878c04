import type { Day } from "../../../src/domain/ledger/period.ts";
import type { AccountAnswer, AccountMessage, AccountView } from "../account-protocol.ts";
import type { MicroNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { callEach, type CallLimits } from "../call-each.ts";
import type { PoolAllocator } from "./pool-allocator.ts";
import type { Recall } from "./pool-recalls.ts";

// What the account says to tenants' objects by itself: that calls are possible again, to those that were
// denied some, and the question for what they hold and do not use. What one does not hear is said again
// by the alarm.

/** An object answers in milliseconds. One that does not is asked again by the alarm. */
const LIMITS: CallLimits = { atOnce: 50, eachMs: 3000, allMs: 10_000 };

/** How long a tenant waits for others that are asked for what it needs. */
const RECALL_WAIT_MS = 1_000;

/** A tenant's object, as far as this is concerned. */
export interface TenantStub {
  applyAccountView(view: AccountView): Promise<unknown>;
  /** @param keep so much of what it does not use it may keep, if it is busy */
  giveBack(generation: number, day: Day, keep: MicroNeurons): Promise<void>;
}

export interface BroadcastDeps {
  readonly allocator: PoolAllocator;
  readonly tenant: (id: string) => TenantStub;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

/** What the alarm does about tenants that were denied something: it tells the next few. */
export async function notifyDenied({ allocator, tenant, transact }: BroadcastDeps): Promise<void> {
  const { view, tenants } = transact((nowMs) => allocator.nextToTell(nowMs));
  const tell = async (id: string): Promise<void> => {
    await tenant(id).applyAccountView(view);
    transact(() => allocator.confirmTold(id, view));
  };
  await callEach(tenants, tell, LIMITS);
}

/** What the alarm does about leases that others wait for. */
export async function recallLeases(deps: BroadcastDeps): Promise<void> {
  await recall(
    deps,
    deps.transact((nowMs) => deps.allocator.toRecall(nowMs)),
  );
}

/** A tenant that gives back tells so in a message of its own, before this resolves. */
async function recall({ tenant }: BroadcastDeps, recalls: readonly Recall[]): Promise<void> {
  const ask = ({ tenant: id, generation, day, keep }: Recall) =>
    tenant(id).giveBack(generation, day, keep);
  await callEach(recalls, ask, LIMITS);
}

/**
 * Answers a tenant. If it would be refused for what others do not use, they are asked for that first,
 * so that its call need not come again. A tenant that gives back asks for nothing in the same message:
 * so no two of these wait for each other.
 */
export async function answerMessage(
  deps: BroadcastDeps & { readonly sleep: (ms: number) => Promise<void> },
  ask: AccountMessage,
  /** The life of the tenant has not ended: it may end while others are asked. */
  isLive: () => boolean,
): Promise<AccountAnswer> {
  const { allocator, transact, sleep } = deps;
  if (!isLive()) return { kind: "over" };
  const recalls = transact((nowMs) => allocator.recallsBefore(ask, nowMs));
  if (recalls.length > 0) await Promise.race([recall(deps, recalls), sleep(RECALL_WAIT_MS)]);
  return isLive() ? transact((nowMs) => allocator.ask(ask, nowMs)) : { kind: "over" };
}
