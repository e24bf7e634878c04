import type { EventType } from "../../src/domain/event.ts";
import type { LookupFailure, RequestFailure } from "../../src/domain/failure.ts";
import type { Decision } from "../../src/domain/verdict.ts";
import type { Delivery, DeliveryQuery, DeliveryStore } from "./delivery-store.ts";
import { firstEventIdAt, partsOfDelivery, SLOTS } from "./event-id.ts";
import type { ListedEvent } from "./event-object.ts";
import type { Outbox } from "./outbox.ts";
import { disable } from "./record-results.ts";
import type { Webhook } from "./webhook-store.ts";

// What the owner of endpoints can do with them, each inside one transaction. Secrets are drawn by the
// router, which shows them once.

/** Asked about with every event, and kept in memory. Their slots must suffice. */
const MAX_WEBHOOKS = 20;

/** Events looked at for one page of the feed. */
const MAX_SCAN = 2000;

export interface NewWebhook {
  readonly id: string;
  readonly secret: string;
  readonly url: string;
  readonly description: string | null;
  readonly events: readonly EventType[];
  readonly decisions: readonly Decision[] | null;
  readonly enabled: boolean;
}

export type WebhookChange = Partial<Omit<NewWebhook, "id" | "secret">>;

export interface FoundWebhook {
  readonly kind: "webhook";
  readonly webhook: Webhook;
}

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;
type OverLimit = Extract<RequestFailure, { kind: "over_limit" }>;

const NO_WEBHOOK: NotFound = { kind: "not_found", what: "webhook" };

export function createWebhook(
  outbox: Outbox,
  made: NewWebhook,
  nowMs: number,
): FoundWebhook | OverLimit {
  // The router repeats a message that was cut off: the endpoint is there already.
  const same = outbox.webhooks.find(made.id);
  if (same !== null) return { kind: "webhook", webhook: same };
  const slots = new Set(outbox.webhooks.all().map(({ slot }) => slot));
  const slot = Array.from({ length: SLOTS }, (_, at) => at + 1).find((free) => !slots.has(free));
  if (slot === undefined || slots.size >= MAX_WEBHOOKS) {
    const detail = `There are at most ${MAX_WEBHOOKS} endpoints: delete one that is not used any more.`;
    return { kind: "over_limit", detail };
  }
  const webhook: Webhook = {
    ...made,
    slot,
    disabledReason: made.enabled ? null : "request",
    oldSecret: null,
    cursor: outbox.events.last(),
    replay: null,
    failingSinceMs: null,
    notBeforeMs: 0,
    lastTryAtMs: 0,
    sent: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  outbox.webhooks.write(webhook);
  return { kind: "webhook", webhook };
}

export function readWebhook(outbox: Outbox, id: string): FoundWebhook | NotFound {
  const webhook = outbox.webhooks.find(id);
  return webhook === null ? NO_WEBHOOK : { kind: "webhook", webhook };
}

export function changeWebhook(
  outbox: Outbox,
  id: string,
  { enabled, ...fields }: WebhookChange,
  nowMs: number,
): FoundWebhook | NotFound {
  const before = outbox.webhooks.find(id);
  if (before === null) return NO_WEBHOOK;
  const cursor = outbox.webhooks.position(before);
  const changed = { ...before, ...fields, cursor, updatedAtMs: nowMs };
  if (enabled === false && before.enabled) {
    return { kind: "webhook", webhook: disable(outbox, changed, "request", nowMs) };
  }
  const webhook = enabled === true && !before.enabled ? begunAnew(outbox, changed) : changed;
  outbox.webhooks.write(webhook);
  return { kind: "webhook", webhook };
}

/** What happened while it was disabled is there for a replay. */
const begunAnew = (outbox: Outbox, webhook: Webhook): Webhook => ({
  ...webhook,
  enabled: true,
  disabledReason: null,
  cursor: outbox.events.last(),
  failingSinceMs: null,
  notBeforeMs: 0,
});

export interface RotateSecret {
  readonly id: string;
  readonly secret: string;
  /** How long the old one goes on beside it; 0: it ends now. */
  readonly overlapMs: number;
}

/** Both secrets sign for the overlap. */
export function rotateSecret(
  outbox: Outbox,
  { id, secret, overlapMs }: RotateSecret,
  nowMs: number,
): FoundWebhook | NotFound {
  const before = outbox.webhooks.find(id);
  if (before === null) return NO_WEBHOOK;
  const old = { secret: before.secret, untilMs: nowMs + overlapMs };
  const oldSecret = overlapMs === 0 ? null : old;
  const webhook = { ...before, secret, oldSecret, updatedAtMs: nowMs };
  outbox.webhooks.write(webhook);
  return { kind: "webhook", webhook };
}

/** Its deliveries go with the next purge. */
export function deleteWebhook(outbox: Outbox, id: string): { readonly kind: "deleted" } | NotFound {
  if (outbox.webhooks.find(id) === null) return NO_WEBHOOK;
  outbox.webhooks.delete(id);
  return { kind: "deleted" };
}

export function listDeliveries(
  outbox: Outbox,
  query: DeliveryQuery,
): ({ readonly kind: "deliveries" } & ReturnType<DeliveryStore["list"]>) | NotFound {
  if (outbox.webhooks.find(query.webhookId) === null) return NO_WEBHOOK;
  return { kind: "deliveries", ...outbox.deliveries.list(query) };
}

export interface ReplayAsk {
  readonly id: string;
  readonly fromMs: number;
  /** Null: up to now. */
  readonly toMs: number | null;
  readonly only: "failed" | "all";
}

/** Delivers the events of a time once more, beside new ones: a later ask replaces an earlier one. */
export function replayWebhook(outbox: Outbox, ask: ReplayAsk): FoundWebhook | NotFound {
  const found = outbox.webhooks.find(ask.id);
  if (found === null) return NO_WEBHOOK;
  // What comes after it is delivered anyway; who is disabled will begin after the last one.
  const last = found.enabled ? outbox.webhooks.position(found) : outbox.events.last();
  const end = `${last}~`;
  const to = ask.toMs === null ? end : firstEventIdAt(ask.toMs);
  const before = to < end ? to : end;
  const webhook = {
    ...found,
    replay: { after: firstEventIdAt(ask.fromMs), before, only: ask.only },
  };
  outbox.webhooks.write(webhook);
  return { kind: "webhook", webhook };
}

/** Due now, and on the schedule from its beginning. */
export function replayDelivery(
  outbox: Outbox,
  id: string,
  nowMs: number,
): { readonly kind: "delivery"; readonly delivery: Delivery } | NotFound {
  const { slot } = partsOfDelivery(id);
  const webhook = outbox.webhooks.all().find((one) => one.slot === slot);
  const found = webhook === undefined ? null : outbox.deliveries.read(webhook.id, id);
  if (found === null) return { kind: "not_found", what: "delivery" };
  const delivery = { ...found, state: "pending", firstTryAtMs: null, nextTryAtMs: nowMs } as const;
  outbox.deliveries.write(delivery);
  return { kind: "delivery", delivery };
}

export interface EventQuery {
  /** Events after this id. */
  readonly after: string;
  /** Null: all. */
  readonly types: readonly EventType[] | null;
  readonly limit: number;
}

/** Oldest first. The scan is bounded: a page may hold fewer and still name where to go on. */
export function listEvents(
  outbox: Outbox,
  { after, types, limit }: EventQuery,
): { readonly events: readonly ListedEvent[]; readonly next: string | null } {
  const scanned = outbox.events.listAfter(after, MAX_SCAN + 1);
  const within = scanned.slice(0, MAX_SCAN);
  const found = within.filter(({ type }) => types === null || types.includes(type));
  const page = found.slice(0, limit);
  const events = page.map((event) => outbox.listed(event));
  if (found.length > limit) return { events, next: page.at(-1)?.id ?? null };
  return { events, next: scanned.length > MAX_SCAN ? (within.at(-1)?.id ?? null) : null };
}
