import type { Decision } from "./verdict.ts";

// What others are told of: recorded with what caused it, delivered to the endpoints that subscribed.

/** Of a tenant. The contract, section 9. */
export const EVENT_TYPES = [
  "moderation.verdict",
  "moderation.review",
  "batch.completed",
  "quota.threshold",
  "quota.exceeded",
  "webhook.disabled",
] as const;

/** Of the platform: `data.tenant` says whose. */
export const PLATFORM_EVENT_TYPES = [
  "account.threshold",
  "account.closed",
  "reconciliation.drift",
  "quota.threshold",
  "quota.exceeded",
  "webhook.disabled",
] as const;

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
  readonly events: readonly EventType[];
  /** Of verdicts; null: all. */
  readonly decisions: readonly Decision[] | null;
}

export const wants = (
  { events, decisions }: Subscription,
  { type, decision }: Pick<Happening, "type" | "decision">,
): boolean =>
  events.includes(type) &&
  (decision === null || decisions === null || decisions.includes(decision));
