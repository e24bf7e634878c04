import type { Day } from "../../src/domain/period.ts";
import type { AccountView, HeardView } from "./account-protocol.ts";
import type { PoolDesk } from "./pool-desk.ts";

// What the account says to tenants' objects by itself: the view that all of them are to know, and the
// question for what they hold and do not use. What one does not hear is said again by the alarm.

/** Objects asked at once. */
const MOST_AT_ONCE = 50;

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
export async function tellView({ desk, tenant, transact }: TellDeps): Promise<number> {
  const view = transact(() => desk.view());
  const untold = transact(() => desk.untold());
  const heard = await inBatches(untold, async (id) => {
    const reply = await tenant(id).hearAccount(view);
    transact((nowMs) => desk.heard(id, reply, view.notice, nowMs));
  });
  return heard;
}

/** A tenant that gives back tells so in a message of its own, before this resolves. */
export async function recallLeases({ desk, tenant, transact }: TellDeps): Promise<void> {
  const recalls = transact((nowMs) => desk.toRecall(nowMs));
  await inBatches(recalls, ({ tenant: id, life, day }) => tenant(id).giveBack(life, day));
}

async function inBatches<Item>(
  items: readonly Item[],
  ask: (item: Item) => Promise<void>,
): Promise<number> {
  let answered = 0;
  for (let from = 0; from < items.length; from += MOST_AT_ONCE) {
    const asked = items.slice(from, from + MOST_AT_ONCE).map((item) =>
      ask(item).then(
        () => 1,
        () => 0,
      ),
    );
    // oxlint-disable-next-line no-await-in-loop -- bounded batches, one after the other
    for (const one of await Promise.all(asked)) answered += one;
  }
  return answered;
}
