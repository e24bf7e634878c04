import { incrementBase32, ulid } from "ulid";
import { idTime } from "../id-range.ts";

// Ids of events are in the order in which they were recorded, so that one of them is a cursor: a
// random ULID would come before another of the same millisecond half of the time.
//
// The last character of an event's id is 0. In the id of a delivery it is the slot of the endpoint, so
// that each of the two names the other, and one row tells of both.

const TIME_CHARACTERS = 10;
const PREFIX = "evt_";
const DELIVERY_PREFIX = "dlv_";

/** Crockford's digits, as ULIDs are written. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Slots of endpoints: 1 to 31. */
export const SLOTS = DIGITS.length - 1;

/** @param last the latest id that was given, or `NO_EVENT` */
export function nextEventId(last: string, nowMs: number): string {
  const time = idTime(nowMs);
  const lastUlid = last.slice(PREFIX.length);
  const next =
    time <= lastUlid.slice(0, TIME_CHARACTERS)
      ? incrementBase32(lastUlid.slice(0, -1))
      : ulid(nowMs, random).slice(0, -1);
  return `${PREFIX}${next}0`;
}

export const deliveryIdOf = (eventId: string, slot: number): string =>
  `${DELIVERY_PREFIX}${eventId.slice(PREFIX.length, -1)}${DIGITS[slot] ?? "0"}`;

/** The event, and the slot of the endpoint that it is delivered to. */
export const partsOfDelivery = (id: string): { eventId: string; slot: number } => ({
  eventId: `${PREFIX}${id.slice(DELIVERY_PREFIX.length, -1)}0`,
  slot: DIGITS.indexOf(id.at(-1) ?? ""),
});

/** Before the events, or deliveries of events, that were recorded at this time. */
export const firstEventIdAt = (atMs: number): string => PREFIX + idTime(atMs);
export const firstDeliveryIdAt = (atMs: number): string => DELIVERY_PREFIX + idTime(atMs);

/** Of one millisecond in no order. */
export const newUlid = (nowMs: number): string => ulid(nowMs, random);

const random = (): number => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 256;
