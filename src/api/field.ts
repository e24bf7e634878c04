import * as v from "valibot";
import { invalid, type InvalidRequest, shaped, stated } from "../http/field-errors.ts";
import { idForm, type IdPrefix } from "../http/ids.ts";
import { isTime, parseDay, startOf } from "../domain/ledger/period.ts";

// The small shapes that the wire is made of, each with its limit.

/** Ids, names and other short strings of the caller's own. */
export const MAX_NAME = 256;

export const name = (description: string) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME), v.description(description));

export const POLICY_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The name of a policy, as it stands in paths. */
export const policyName = v.pipe(
  v.string(),
  v.regex(
    shaped(
      POLICY_NAME,
      "must be the name of a policy: lower-case letters, digits, hyphens and underscores, at most 64",
    ),
  ),
  v.description("The name of a policy: lower-case letters, digits, hyphen, underscore."),
);

/** Both ends are safe integers: a longer number gets the error of its end. */
export const wholeNumber = (min: number, max: number, description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max), v.description(description));

/** A number that may be left out, also as null. */
export const between = (min: number, max: number) =>
  v.nullish(v.pipe(v.number(), v.minValue(min), v.maxValue(max)));

/** A number of an answer. */
export const count = (description: string) => v.pipe(v.number(), v.description(description));

/** A score at which something happens; null: never. */
export const threshold = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1)));

export const time = (description: string) =>
  v.pipe(v.string(), v.description(`${description} RFC 3339, UTC, milliseconds.`));

/** A time in a body or a query, in milliseconds. */
export const timeInput = (description: string) =>
  v.pipe(
    v.string(),
    v.maxLength(40),
    v.description(`${description} RFC 3339.`),
    v.isoTimestamp(),
    // `Date.parse` makes 30 February 2 March.
    v.transform((text) => (parseDay(text.slice(0, 10)) === null ? Number.NaN : Date.parse(text))),
    v.check(stated("must be a real time", (ms: number) => Number.isFinite(ms))),
    v.check(stated("must be a time from 1970 to 9999, in UTC", isTime)),
  );

interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** For a query or a body with `from` and `to`: if `from` is later, no time is between them. */
export const inOrder = <Range extends TimeRange>() =>
  v.check(
    stated(
      "must have a from that is not after its to",
      ({ from, to }: Range) => from === undefined || to === undefined || from <= to,
    ),
  );

/** True for a text that is no day: another check refuses it. */
const isSinceEpoch = (text: string): boolean => isTime(startOf(parseDay(text) ?? 0));

/** A UTC day in a query, as its number. */
export const dayInput = (description: string) =>
  v.pipe(
    v.string(),
    v.check(stated("must be a day such as 2026-11-20", (text: string) => parseDay(text) !== null)),
    v.check(stated("must be a day from 1970-01-01 on", isSinceEpoch)),
    v.description(`${description} A UTC day, YYYY-MM-DD.`),
    v.transform((text) => parseDay(text) ?? 0),
  );

export const microNeuronsOut = (description: string) =>
  v.pipe(v.number(), v.integer(), v.description(`${description} In micro-neurons, authoritative.`));

const CURSOR = "`next_cursor` of the page before; empty: the first.";
const WRONG_CURSOR = "is not a cursor of this list";

/** A page of a list whose route reads the cursor itself, and refuses a wrong one with `NOT_A_CURSOR`. */
export const pageQuery = {
  cursor: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME), v.description(CURSOR))),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.description("Items on a page: 1 to 200."),
      v.regex(shaped(/^\d{1,3}$/, "must be a whole number from 1 to 200")),
      v.transform(Number),
      v.minValue(1),
      v.maxValue(200),
    ),
    "50",
  ),
};

/**
 * A page of a list whose cursor is what names its last item. The item may be gone since.
 *
 * @param form of every such name, with a bound on its length
 */
export const pageAfter = (form: RegExp) => ({
  ...pageQuery,
  cursor: v.optional(
    v.pipe(v.string(), v.description(CURSOR), v.regex(shaped(form, WRONG_CURSOR))),
  ),
});

/** A page of a list whose cursor is the id of its last item. */
export const pageAfterId = (prefix: IdPrefix) => pageAfter(idForm(prefix));

/** The same cursor as a field of a body, where an empty one is not dropped before: it is the first page. */
export const cursorAfterId = (prefix: IdPrefix) =>
  v.optional(
    v.pipe(
      v.string(),
      v.description(CURSOR),
      v.regex(shaped(new RegExp(`^$|${idForm(prefix).source}`), WRONG_CURSOR)),
      v.transform((text) => (text === "" ? undefined : text)),
    ),
  );

/** The failure of a cursor that no page of the list gave. */
export const NOT_A_CURSOR: InvalidRequest = invalid(["cursor"], WRONG_CURSOR);

/** The cursor of a list that is paged by index: the index of the first item. */
export function parseIndex(cursor: string | undefined): number | InvalidRequest {
  if (cursor === undefined) return 0;
  return /^\d{1,9}$/.test(cursor) ? Number(cursor) : NOT_A_CURSOR;
}

/** A list as every list of the native surface is. */
export const listOf = <S extends v.GenericSchema>(item: S) =>
  v.object({
    object: v.literal("list"),
    data: v.array(item),
    has_more: v.boolean(),
    next_cursor: v.nullable(v.string()),
  });

export const list = <Item>(data: readonly Item[], nextCursor: string | null) => ({
  object: "list" as const,
  data,
  has_more: nextCursor !== null,
  next_cursor: nextCursor,
});

/** A page of a list whose cursor is the id of a page's last item. */
export const listById = <Item extends { readonly id: string }, Out>(
  { data, more }: { readonly data: readonly Item[]; readonly more: boolean },
  toOut: (item: Item) => Out,
) => list(data.map(toOut), more ? (data.at(-1)?.id ?? null) : null);
