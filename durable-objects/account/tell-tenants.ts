import type { Day } from "../../src/domain/period.ts";
import type { AccountView, HeardView } from "./account-protocol.ts";
import { askEach, type AskLimits } from "./ask-each.ts";
import type { PoolDesk } from "./pool-desk.ts";

// What the account says to tenants' objects by itself: the view that all of them are to know, and the
// question for what they hold and do not use. What one does not hear is said again by the alarm.

/** An object answers in milliseconds. One that does not is asked again by the alarm. */
const LIMITS: AskLimits = { atOnce: 50, eachMs: 3000, allMs: 10_000 };

/** A tenant's object, as far as this is concerned. */
export interface ToldTenant {
  hearAccount(view: AccountView): Promise<HeardView | null>;
  giveBack(life: number, day: Day): Promise<void>;
}

export interface TellDeps {
  readonly desk: PoolDesk;
  readonly tenant: (id: string) => ToldTenant;
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
}

/** Returns how many confirmed. */
export function tellView({ desk, tenant, transact }: TellDeps): Promise<number> {
  const view = transact(() => desk.view());
  const untold = transact(() => desk.untold());
  const tell = async (id: string): Promise<void> => {
    const reply = await tenant(id).hearAccount(view);
    transact((nowMs) => desk.heard(id, reply, view.notice, nowMs));
  };
  return askEach(untold, tell, LIMITS);
}

/** A tenant that gives back tells so in a message of its own, before this resolves. */
export async function recallLeases({ desk, tenant, transact }: TellDeps): Promise<void> {
  const recalls = transact((nowMs) => desk.toRecall(nowMs));
  await askEach(recalls, ({ tenant: id, life, day }) => tenant(id).giveBack(life, day), LIMITS);
}
