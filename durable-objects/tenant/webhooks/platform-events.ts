import { GATHER_MS } from "../../outbox/dispatcher.ts";
import type { PlatformEventStore } from "../../outbox/platform-event-store.ts";
import type { TenantFeature } from "../feature.ts";
import type { PlatformEventTaker } from "../outside.ts";

// Events that the platform subscribed to and that happen in a tenant's object. Each waits in a row until
// the alarm has handed it to the `Account` object, at least once.

/** Handed over in one message. */
const MAX_EVENTS = 50;

/** After the `Account` object did not take them. */
const RETRY_MS = 30_000;

export const PLATFORM_EVENTS_FEATURE: TenantFeature = {
  name: "platform_events",
  capability: ({ stores: { outbox }, outside, wallMs }) => {
    const events = outbox.platformEvents;
    let retryMs = 0;
    return {
      dueMs: (nowMs, profile) =>
        !profile.closed && events?.isWaiting === true
          ? Math.max(nowMs + GATHER_MS, retryMs)
          : Infinity,
      tend: async ({ id, closed }) => {
        if (closed || events === null) return false;
        try {
          await forwardEvents(outside.account, id, events);
        } catch (error) {
          // They wait for a later alarm.
          retryMs = wallMs() + RETRY_MS;
          outside.report("hand_over_failed", error);
        }
        return false;
      },
      isBeside: true,
    };
  },
};

/** @throws when the object does not take them */
async function forwardEvents(
  account: () => PlatformEventTaker,
  tenant: string,
  events: PlatformEventStore,
): Promise<void> {
  while (events.isWaiting) {
    const some = events.list(MAX_EVENTS);
    // oxlint-disable-next-line no-await-in-loop -- one message after the other
    await account().report(tenant, some);
    events.removeUpTo(some.at(-1)?.id ?? 0);
  }
}
