import { ACCOUNT_NAME } from "../account/account-name.ts";
import type { PlatformEvent, PlatformEventStore } from "../outbox/platform-event-store.ts";

// What the platform subscribed to and a tenant's object sees happen: handed to the `Account` object by
// the alarm, at least once. It waits in a row until it is there.

/** Handed over in one message. */
const MAX_REPORTS = 50;

/** What the `Account` object is asked, as far as this is concerned. */
interface Reported {
  report(tenant: string, reports: readonly PlatformEvent[]): Promise<void>;
}

/** @throws when the object does not take them */
export async function forwardEvents(
  env: Env,
  tenant: string,
  reports: PlatformEventStore,
): Promise<void> {
  while (reports.isWaiting) {
    const some = reports.list(MAX_REPORTS);
    const account = env.ACCOUNT.getByName(ACCOUNT_NAME) as unknown as Reported;
    // oxlint-disable-next-line no-await-in-loop -- one message after the other
    await account.report(tenant, some);
    reports.removeUpTo(some.at(-1)?.id ?? 0);
  }
}
