import { viewOf } from "./delivery-view.ts";
import type { Webhook } from "../../src/domain/webhooks/webhook.ts";
import { WELL, type Delivery } from "../../src/domain/webhooks/delivery.ts";
import {
  type EventType,
  subscribedTo,
  type Subscription,
} from "../../src/domain/webhooks/event.ts";
import type {
  ConflictFailure,
  LookupFailure,
  RequestFailure,
} from "../../src/domain/ledger/failure.ts";
import type { Decision } from "../../src/domain/moderation/verdict.ts";
import { ASKED_FOR, type DeliveryQuery } from "./delivery-store.ts";
import { firstEventIdAt, partsOfDelivery, SLOTS } from "./event-id.ts";
import type { ListedEvent } from "../../src/domain/webhooks/event-object.ts";
import type { Outbox } from "./outbox.ts";
import { disable, resume } from "./record-results.ts";
import type { DeliveryView, WebhookView } from "../../src/domain/webhooks/webhook-object.ts";

// Operations of the owner of endpoints, each inside one transaction. Secrets are drawn by the
// router, which shows them once.

/** They are read with every event, and kept in memory. Their slots must suffice. */
const MAX_WEBHOOKS = 20;

/** Events looked at for one page of the feed. */
const MAX_SCAN = 2000;

export interface NewWebhook {
  readonly id: string;
  readonly secret: string;
  readonly url: string;
  readonly description: string | null;
  readonly events: Subscription["events"];
  readonly ordered: boolean;
  readonly decisions: readonly Decision[] | null;
  readonly enabled: boolean;
}

export type WebhookChange = Partial<Omit<NewWebhook, "id" | "secret">>;

export interface FoundWebhook {
  readonly kind: "webhook";
  readonly webhook: WebhookView;
}

type NotFound = Extract<LookupFailure, { kind: "not_found" }>;
type InvalidRequest = Extract<RequestFailure, { kind: "invalid_request" }>;
type Disabled = Extract<ConflictFailure, { kind: "webhook_disabled" }>;
type OverLimit = Extract<RequestFailure, { kind: "over_limit" }>;

const NO_WEBHOOK: NotFound = { kind: "not_found", what: "webhook" };

export function viewed(outbox: Outbox, webhook: Webhook): WebhookView {
  const [waiting] = webhook.ordered ? outbox.deliveries.listPending(webhook.id, 1) : [];
  return { ...webhook, blockedBy: waiting?.id ?? null };
}

const seen = (outbox: Outbox, webhook: Webhook): FoundWebhook => ({
  kind: "webhook",
  webhook: viewed(outbox, webhook),
});

export const listWebhooks = (outbox: Outbox): readonly WebhookView[] =>
  outbox.webhooks.all().map((webhook) => viewed(outbox, webhook));

export function createWebhook(
  outbox: Outbox,
  made: NewWebhook,
  nowMs: number,
): FoundWebhook | OverLimit {
  // The router repeats a message that was cut off: the endpoint is there already.
  const same = outbox.webhooks.find(made.id);
  if (same !== null) return seen(outbox, same);
  const slots = new Set(outbox.webhooks.all().map(({ slot }) => slot));
  const slot = Array.from({ length: SLOTS }, (_, at) => at + 1).find((free) => !slots.has(free));
  if (slot === undefined || slots.size >= MAX_WEBHOOKS) {
    const detail = `There are at most ${MAX_WEBHOOKS} endpoints: delete one that is not used any more.`;
    return { kind: "over_limit", detail };
  }
  const webhook: Webhook = {
    ...made,
    events: subscribedTo(made.events, []),
    slot,
    disabledReason: made.enabled ? null : "request",
    oldSecret: null,
    cursor: outbox.events.last(),
    ahead: "",
    replay: null,
    ...WELL,
    lastTryAtMs: 0,
    sent: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  outbox.webhooks.write(webhook);
  return seen(outbox, webhook);
}

export function readWebhook(outbox: Outbox, id: string): FoundWebhook | NotFound {
  const webhook = outbox.webhooks.find(id);
  return webhook === null ? NO_WEBHOOK : seen(outbox, webhook);
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
  const events = subscribedTo(fields.events ?? before.events, before.events);
  const changed = { ...before, ...fields, events, cursor, updatedAtMs: nowMs };
  if (enabled === false && before.enabled) {
    return seen(outbox, disable(outbox, changed, "request", nowMs));
  }
  if (enabled === true && !before.enabled) {
    const begun = begunAnew(outbox, changed);
    outbox.webhooks.write(begun);
    return seen(outbox, begun);
  }
  // Another address, or a word of its owner, and what was known of it does not count any more.
  const isResumed = enabled === true || changed.url !== before.url;
  const webhook = isResumed ? resume(outbox, changed, nowMs) : changed;
  outbox.webhooks.write(webhook);
  return seen(outbox, webhook);
}

/** What happened while it was disabled is there for a replay. */
const begunAnew = (outbox: Outbox, webhook: Webhook): Webhook => ({
  ...webhook,
  enabled: true,
  disabledReason: null,
  cursor: outbox.events.last(),
  ahead: "",
  ...WELL,
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
  return seen(outbox, webhook);
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
  nowMs: number,
): DeliveryList | NotFound {
  const webhook = outbox.webhooks.find(query.webhookId);
  if (webhook === null) return NO_WEBHOOK;
  const { deliveries, next } = outbox.deliveries.list(query);
  const views = deliveries.map((delivery) => viewAt(outbox, webhook, delivery, nowMs));
  return { kind: "deliveries", deliveries: views, next };
}

export interface DeliveryList {
  readonly kind: "deliveries";
  readonly deliveries: readonly DeliveryView[];
  readonly next: string | null;
}

/** The next attempt is shown when it can be: not while the endpoint asked for time, and never past. */
export function viewAt(
  outbox: Outbox,
  webhook: Webhook,
  delivery: Delivery,
  nowMs: number,
): DeliveryView {
  const { nextTryAtMs } = delivery;
  const fromMs = nextTryAtMs === ASKED_FOR ? nowMs : Math.max(nowMs, webhook.notBeforeMs);
  const nextAttemptMs = nextTryAtMs === null ? null : Math.max(nextTryAtMs, fromMs);
  return viewOf(delivery, { event: outbox.events.read(delivery.eventId), nextAttemptMs });
}

export interface ReplayRequest {
  readonly id: string;
  readonly fromMs: number;
  /** Null: up to now. */
  readonly toMs: number | null;
  readonly only: "failed" | "all";
}

const invalid = (field: string, detail: string): InvalidRequest => ({
  kind: "invalid_request",
  errors: [{ path: [field], detail }],
});

/**
 * Delivers the events of a time once more, beside new ones: a later ask replaces an earlier one. Who asks
 * has seen to it that the endpoint is well.
 */
export function replayWebhook(
  outbox: Outbox,
  ask: ReplayRequest,
  nowMs: number,
): FoundWebhook | NotFound | InvalidRequest {
  const found = outbox.webhooks.find(ask.id);
  if (found === null) return NO_WEBHOOK;
  if (ask.fromMs > nowMs) return invalid("from", "must not be in the future");
  if (ask.toMs !== null && ask.toMs <= ask.fromMs) return invalid("to", "must be after `from`");
  // Later events are delivered anyway; an endpoint that is disabled will begin after the last one.
  const last = found.enabled ? outbox.webhooks.position(found) : outbox.events.last();
  const end = `${last}~`;
  const to = ask.toMs === null ? end : firstEventIdAt(ask.toMs);
  const before = to < end ? to : end;
  const webhook = {
    ...(found.enabled ? resume(outbox, found, nowMs) : found),
    replay: { after: firstEventIdAt(ask.fromMs), before, only: ask.only },
  };
  outbox.webhooks.write(webhook);
  return seen(outbox, webhook);
}

/**
 * Due now, even if the endpoint asked for time, and on the schedule from its beginning. If it is accepted,
 * that ends the endpoint's wait as any success does.
 */
export function replayDelivery(
  outbox: Outbox,
  id: string,
  nowMs: number,
): { readonly kind: "delivery"; readonly delivery: DeliveryView } | NotFound | Disabled {
  const { slot } = partsOfDelivery(id);
  const webhook = outbox.webhooks.all().find((one) => one.slot === slot);
  const found = webhook === undefined ? null : outbox.deliveries.read(webhook.id, id);
  if (webhook === undefined || found === null) return { kind: "not_found", what: "delivery" };
  if (!webhook.enabled) return { kind: "webhook_disabled", webhook: webhook.id };
  const asked = { state: "pending", firstTryAtMs: null, nextTryAtMs: ASKED_FOR } as const;
  const delivery = { ...found, ...asked };
  outbox.deliveries.write(delivery);
  return { kind: "delivery", delivery: viewAt(outbox, webhook, delivery, nowMs) };
}

export function readEvent(
  outbox: Outbox,
  id: string,
): { readonly kind: "event"; readonly event: ListedEvent } | NotFound {
  const event = outbox.events.read(id);
  if (event === null) return { kind: "not_found", what: "event" };
  return { kind: "event", event: outbox.listed(event) };
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
