import type { DeliveryQuery } from "../../outbox/delivery-store.ts";
import { restOrLate, GATHER_MS } from "../../outbox/dispatcher.ts";
import { NOTICES, WEBHOOKS } from "../../outbox/outbox-schema.ts";
import type { PlatformEventStore } from "../../outbox/platform-event-store.ts";
import { tryWebhook } from "../../outbox/try-webhook.ts";
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  type EventQuery,
  listDeliveries,
  listEvents,
  listWebhooks,
  type NewWebhook,
  readEvent,
  readWebhook,
  replayDelivery,
  type ReplayRequest,
  replayWebhook,
  type RotateSecret,
  rotateSecret,
  type WebhookChange,
} from "../../outbox/webhooks.ts";
import { once } from "../calls/once.ts";
import {
  expiresAfter,
  endOfDay,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import type { PlatformEventTaker } from "../outside.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import type { Tx } from "../transactions.ts";

// A tenant's own webhooks: their operations are the outbox's (`durable-objects/outbox`).

const DAY_MS = 86_400_000;

export const WEBHOOKS_FEATURE: TenantFeature = {
  name: "webhooks",
  tables: [NOTICES, WEBHOOKS],
  capability: ({ stores: { db, outbox, persons }, dispatcher }) => ({
    forget: () => outbox.forget(),
    begin: (profile) => {
      if (!profile.closed) dispatcher.wake();
      return dispatcher.isBusy;
    },
    // Deliveries go with their events.
    purge: ({ profile: { settings }, nowMs }) =>
      outbox.purge(nowMs - settings.event_retention_days * DAY_MS, PURGE_ROWS, nowMs),
    expiries: [
      {
        ...expiry(db.of(WEBHOOKS), ({ settings }) =>
          expiresAfter(outbox.events.oldestMs(), settings.event_retention_days * DAY_MS),
        ),
        isOverdue: () => outbox.isGivingUp,
      },
      expiry(db.of(NOTICES), () => endOfDay(outbox.notices.oldestDay())),
    ],
    dueMs: (_, profile) => (profile.closed ? Infinity : (dispatcher.nextDueMs() ?? Infinity)),
    dueRows: db.of(WEBHOOKS),
    tend: async () => {
      await restOrLate(dispatcher);
      return false;
    },
    isBeside: true,
    personal: [
      personalData<"delivery">({
        name: "deliveries",
        find: (person, from) => persons.deliveries(person, from),
        erase: (_, { webhookId, id }) => outbox.deliveries.delete(webhookId, id),
      }),
      personalData<"event">({
        name: "events",
        find: (person, from) => persons.events(person, from),
        erase: (_, { event }) => persons.eraseEvent(event.id),
      }),
    ],
  }),
};

export interface CreateWebhook {
  readonly route: string;
  readonly webhook: NewWebhook;
  readonly idempotency: Idempotency | null;
}

/**
 * Makes an endpoint, once for an idempotency key. `repeated`: an earlier request made it, so its secret
 * is not shown again.
 */
export function createWebhookOnce(tx: Tx, { route, webhook, idempotency }: CreateWebhook) {
  const { outbox } = tx.stores;
  return once(
    tx,
    { id: webhook.id, route, idempotency },
    (id, repeated) => {
      const found = readWebhook(outbox, id);
      return found.kind === "webhook" ? { ...found, repeated } : null;
    },
    () => {
      const made = createWebhook(outbox, webhook, tx.nowMs);
      return made.kind === "webhook" ? { ...made, repeated: false } : made;
    },
  );
}

export interface RotateWebhook {
  readonly route: string;
  readonly rotation: RotateSecret;
  readonly idempotency: Idempotency | null;
}

/** As `createWebhookOnce`: a second rotation would end the secret that receivers have. */
function rotateWebhookOnce(tx: Tx, { route, rotation, idempotency }: RotateWebhook) {
  const { outbox } = tx.stores;
  return once(
    tx,
    { id: rotation.id, route, idempotency },
    (id, repeated) => {
      const found = repeated ? readWebhook(outbox, id) : null;
      return found?.kind === "webhook" ? { ...found, repeated } : null;
    },
    () => {
      const rotated = rotateSecret(outbox, rotation, tx.nowMs);
      return rotated.kind === "webhook" ? { ...rotated, repeated: false } : rotated;
    },
  );
}

export const WEBHOOK_OPERATIONS = {
  createWebhook: ({ write }: TenantContext, caller: Caller, request: CreateWebhook) =>
    write(caller, (tx) => createWebhookOnce(tx, request)),

  listWebhooks: ({ ask }: TenantContext, caller: Caller) =>
    ask(caller, ({ stores: { outbox } }) => ({
      kind: "webhooks" as const,
      webhooks: listWebhooks(outbox),
    })),

  readWebhook: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores: { outbox } }) => readWebhook(outbox, id)),

  changeWebhook: ({ write }: TenantContext, caller: Caller, id: string, change: WebhookChange) =>
    write(caller, ({ stores: { outbox }, nowMs }) => changeWebhook(outbox, id, change, nowMs)),

  rotateWebhook: ({ write }: TenantContext, caller: Caller, request: RotateWebhook) =>
    write(caller, (tx) => rotateWebhookOnce(tx, request)),

  deleteWebhook: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, ({ stores: { outbox } }) => deleteWebhook(outbox, id)),

  async tryWebhook(context: TenantContext, caller: Caller, id: string) {
    const { dispatcher, stores } = context;
    const found = context.ask(caller, ({ stores: { outbox } }) => readWebhook(outbox, id));
    if (found.kind !== "webhook") return found;
    const transact = <Result>(work: (nowMs: number) => Result) =>
      context.transactOrThrow(({ nowMs }) => work(nowMs));
    return tryWebhook({ outbox: stores.outbox, dispatcher, transact }, id);
  },

  listDeliveries: ({ ask }: TenantContext, caller: Caller, query: DeliveryQuery) =>
    ask(caller, ({ stores: { outbox }, nowMs }) => listDeliveries(outbox, query, nowMs)),

  replayWebhook: ({ write }: TenantContext, caller: Caller, request: ReplayRequest) =>
    write(caller, ({ stores: { outbox }, nowMs }) => replayWebhook(outbox, request, nowMs)),

  replayDelivery: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, ({ stores: { outbox }, nowMs }) => replayDelivery(outbox, id, nowMs)),

  listEvents: ({ ask }: TenantContext, caller: Caller, query: EventQuery) =>
    ask(caller, ({ stores: { outbox } }) => ({
      kind: "events" as const,
      ...listEvents(outbox, query),
    })),

  readEvent: ({ ask }: TenantContext, caller: Caller, id: string) =>
    ask(caller, ({ stores: { outbox } }) => readEvent(outbox, id)),
};

// Events that the platform subscribed to and that happen in a tenant's object. Each waits in a row until
// the alarm has handed it to the `Account` object, at least once.

/** Handed over in one message. */
const MAX_EVENTS = 50;

/** After the `Account` object did not take them. */
const RETRY_MS = 30_000;

export const PLATFORM_EVENTS_FEATURE: TenantFeature = {
  name: "platform_events",
  capability: ({ stores: { db, outbox }, outside, wallMs }) => {
    const events = outbox.platformEvents;
    let retryMs = 0;
    return {
      dueMs: (nowMs, profile) =>
        !profile.closed && events?.isWaiting === true
          ? Math.max(nowMs + GATHER_MS, retryMs)
          : Infinity,
      dueRows: db.of(NOTICES),
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
