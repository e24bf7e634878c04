import type { Decision } from "../moderation/verdict.ts";

// Events: recorded together with their cause, and delivered to the endpoints that subscribed.

/** The cursor before all events. */
export const NO_EVENT = "";

/** Events of a tenant. */
export const EVENT_TYPES = [
  "moderation.verdict",
  "moderation.review",
  "verdict_batch.completed",
  "pipeline.completed",
  "pipeline.failed",
  "quota.threshold",
  "quota.exceeded",
  "policy.drift",
  "webhook.disabled",
  "message.attempt.exhausted",
] as const;

/**
 * The former name of `verdict_batch.completed`, which other systems also use for their events. Endpoints that
 * subscribed with the former name get the events under it.
 */
export const OLD_BATCH_EVENT = "batch.completed";
export const BATCH_EVENT = "verdict_batch.completed";

/** Events of the platform: `data.tenant` names the tenant. */
export const PLATFORM_EVENT_TYPES = [
  "account.threshold",
  "account.closed",
  "reconciliation.drift",
  "quota.threshold",
  "quota.exceeded",
  "webhook.disabled",
  "message.attempt.exhausted",
] as const;

/** Recorded when a message is given up, but never for itself: that would not end. */
export const EXHAUSTED_EVENT = "message.attempt.exhausted";

/** The event of an endpoint's test. Nobody can subscribe to it. */
export const TEST_EVENT = "webhook.test";

export type EventType =
  | (typeof EVENT_TYPES)[number]
  | (typeof PLATFORM_EVENT_TYPES)[number]
  | typeof TEST_EVENT;

/** An occurrence and its subject. */
export interface Happening {
  readonly type: EventType;
  /**
   * The id of the object of the event, a verdict, a batch or a run, which is read at delivery. Null: `data`
   * has everything.
   */
  readonly subject: string | null;
  /** For a verdict: endpoints may subscribe to some decisions only. */
  readonly decision: Decision | null;
  /** The data at the time of the event, in the names of the API; null when `subject` is read. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

export interface RecordedEvent extends Happening {
  /** `evt_` and a ULID, in the order of recording. */
  readonly id: string;
  readonly createdAtMs: number;
}

/** The events that an endpoint receives. */
export interface Subscription {
  readonly events: readonly (EventType | typeof OLD_BATCH_EVENT)[];
  /** Only verdicts with these decisions; null: all. */
  readonly decisions: readonly Decision[] | null;
}

export const wants = (
  { events, decisions }: Subscription,
  { type, decision }: Pick<Happening, "type" | "decision">,
): boolean =>
  events.includes(nameFor({ events }, type)) &&
  (decision === null || decisions === null || decisions.includes(decision));

/** The name of an event's type for an endpoint. */
export const nameFor = (
  { events }: Pick<Subscription, "events">,
  type: EventType,
): EventType | typeof OLD_BATCH_EVENT =>
  type === BATCH_EVENT && events.includes(OLD_BATCH_EVENT) ? OLD_BATCH_EVENT : type;

/**
 * The types that an endpoint subscribes to when it asks for these: an endpoint with the former name may keep
 * it, any other gets the present name.
 */
export const subscribedTo = (
  requested: Subscription["events"],
  before: Subscription["events"],
): Subscription["events"] =>
  before.includes(OLD_BATCH_EVENT) ? requested : [...new Set(requested.map(currentType))];

/** The present name of a type that was stored or requested under the former name. */
export const currentType = (type: EventType | typeof OLD_BATCH_EVENT): EventType =>
  type === OLD_BATCH_EVENT ? BATCH_EVENT : type;
