import type { Decision } from "../moderation/verdict.ts";

// What others are told of: recorded with what caused it, delivered to the endpoints that subscribed.

/** Of a tenant. The contract, section 9. */
export const EVENT_TYPES = [
  "moderation.verdict",
  "moderation.review",
  "verdict_batch.completed",
  "quota.threshold",
  "quota.exceeded",
  "webhook.disabled",
  "message.attempt.exhausted",
] as const;

/**
 * The name that `verdict_batch.completed` had: another system's events are called so, too. Endpoints
 * that subscribed to it under this name are told under it.
 */
export const OLD_BATCH_EVENT = "batch.completed";
export const BATCH_EVENT = "verdict_batch.completed";

/** Of the platform: `data.tenant` says whose. */
export const PLATFORM_EVENT_TYPES = [
  "account.threshold",
  "account.closed",
  "reconciliation.drift",
  "quota.threshold",
  "quota.exceeded",
  "webhook.disabled",
  "message.attempt.exhausted",
] as const;

/** Told of when a message is given up; never of itself, which would have no end. */
export const EXHAUSTED_EVENT = "message.attempt.exhausted";

/** What an endpoint is sent when its owner tries it. Nobody subscribes to it. */
export const TEST_EVENT = "webhook.test";

export type EventType =
  | (typeof EVENT_TYPES)[number]
  | (typeof PLATFORM_EVENT_TYPES)[number]
  | typeof TEST_EVENT;

/** What happened, and to what. */
export interface Happening {
  readonly type: EventType;
  /**
   * The id of the object that it tells of, which is read when it is told: a verdict or a batch.
   * Null: `data` says it all.
   */
  readonly subject: string | null;
  /** Of a verdict: endpoints may ask for some decisions only. */
  readonly decision: Decision | null;
  /** As it stood when it happened, in the names of the wire; null where `subject` is read. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

export interface RecordedEvent extends Happening {
  /** `evt_` and a ULID: in the order in which they were recorded. */
  readonly id: string;
  readonly createdAtMs: number;
}

/** What an endpoint wants to be told. */
export interface Subscription {
  readonly events: readonly (EventType | typeof OLD_BATCH_EVENT)[];
  /** Of verdicts; null: all. */
  readonly decisions: readonly Decision[] | null;
}

export const wants = (
  { events, decisions }: Subscription,
  { type, decision }: Pick<Happening, "type" | "decision">,
): boolean =>
  events.includes(nameFor({ events }, type)) &&
  (decision === null || decisions === null || decisions.includes(decision));

/** What an event is called where it is delivered. */
export const nameFor = (
  { events }: Pick<Subscription, "events">,
  type: EventType,
): EventType | typeof OLD_BATCH_EVENT =>
  type === BATCH_EVENT && events.includes(OLD_BATCH_EVENT) ? OLD_BATCH_EVENT : type;

/**
 * What an endpoint subscribes to by asking for these types: an endpoint that has the old name may keep
 * it, every other has today's.
 */
export const subscribedTo = (
  asked: Subscription["events"],
  before: Subscription["events"],
): Subscription["events"] =>
  before.includes(OLD_BATCH_EVENT) ? asked : [...new Set(asked.map(currentType))];

/** What was stored or asked for under the old name has today's. */
export const currentType = (type: EventType | typeof OLD_BATCH_EVENT): EventType =>
  type === OLD_BATCH_EVENT ? BATCH_EVENT : type;
