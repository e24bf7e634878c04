import type { OLD_BATCH_EVENT, RecordedEvent } from "./event.ts";
import { isoTime } from "../ledger/period.ts";

/** An event as it is delivered and listed. */
export interface EventObject {
  readonly id: string;
  readonly type: RecordedEvent["type"] | typeof OLD_BATCH_EVENT;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** `data` is null where what an event tells of is not stored any more. */
export type ListedEvent = Omit<EventObject, "data"> & { readonly data: EventObject["data"] | null };

/** Receivers are promised bodies that are not larger by much: Standard Webhooks advises 20 kB. */
const MOST_BYTES = 20_000;

/** The stages are most of a large verdict, and are there to be read by its id. */
export function eventObject(
  event: Omit<RecordedEvent, "type"> & Pick<EventObject, "type">,
  data: EventObject["data"],
): EventObject {
  const made = (content: EventObject["data"]): EventObject => ({
    id: event.id,
    type: event.type,
    timestamp: isoTime(event.createdAtMs),
    data: content,
  });
  const whole = made(data);
  if (!("stages" in data) || bytesOf(whole) <= MOST_BYTES) return whole;
  const { stages: _, ...rest } = data;
  return made({ ...rest, truncated: true });
}

const bytesOf = (event: EventObject): number =>
  new TextEncoder().encode(JSON.stringify(event)).byteLength;
