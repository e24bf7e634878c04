import * as v from "valibot";
import { EVENT_STREAM, LONGEST_S } from "../../http/event-feed.ts";
import { shaped } from "../../http/field-errors.ts";
import { strictObject } from "../object-input.ts";

// A stream of events on the wire.

/** @param absentS how long it goes on when the query does not say */
export const eventQuery = (absentS: number) =>
  strictObject({
    for_s: v.optional(
      v.pipe(
        v.string(),
        v.description(`Seconds that it goes on: up to ${LONGEST_S}. 0: what stands now, once.`),
        v.regex(shaped(/^\d{1,2}$/, `must be a whole number from 0 to ${LONGEST_S}`)),
        v.transform(Number),
        v.maxValue(LONGEST_S),
      ),
      String(absentS),
    ),
  });

export const eventReply = {
  status: 200,
  contentType: EVENT_STREAM,
  schema: v.pipe(v.string(), v.description("Server-sent events, each of one JSON object.")),
} as const;
