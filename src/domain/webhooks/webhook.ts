import type { EndpointHealth } from "./delivery.ts";
import type { Sent } from "./delivery-pace.ts";
import type { Subscription } from "./event.ts";

/** Why an endpoint is not delivered to. */
export const DISABLED_REASONS = ["request", "gone", "failing", "receiver"] as const;

export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** Events that are delivered once more, from the oldest on. */
export interface Replay {
  /** All up to this id were. */
  readonly after: string;
  /** Those before this id are to be. */
  readonly before: string;
  /** `failed`: only those that were not delivered. */
  readonly only: "failed" | "all";
}

/** Where events are delivered to, and how that goes. */
export interface Webhook extends Subscription, EndpointHealth {
  readonly id: string;
  /** The last character of its deliveries' ids. */
  readonly slot: number;
  readonly url: string;
  readonly description: string | null;
  readonly enabled: boolean;
  /** Null while enabled. */
  readonly disabledReason: DisabledReason | null;
  /** `whsec_` and base64: what its deliveries are signed with. */
  readonly secret: string;
  /** The one before, until the overlap of a rotation ends: both sign. */
  readonly oldSecret: { readonly secret: string; readonly untilMs: number } | null;
  /** One event at a time, in order: nothing goes past a message that is still to be tried. */
  readonly ordered: boolean;
  /** All events up to this id were handed over. */
  readonly cursor: string;
  /** Events after the cursor and up to this one may have been handed over; before the cursor: none. */
  readonly ahead: string;
  readonly replay: Replay | null;
  /** When it was last sent anything; 0: never. */
  readonly lastTryAtMs: number;
  /** Attempts of the last minute, as they were last written. */
  readonly sent: Sent;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
