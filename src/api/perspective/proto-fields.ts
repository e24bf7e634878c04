import * as v from "valibot";
import { shaped } from "../../http/field-errors.ts";

// Fields as protobuf's JSON takes them: a number may be a text, and a value of an enum may be its number.
// https://protobuf.dev/programming-guides/json/

const NUMBER = /^-?\d{1,32}(?:\.\d{0,32})?(?:[eE][+-]?\d{1,3})?$/;

const numberText = v.pipe(
  v.string(),
  v.regex(shaped(NUMBER, "must be a number")),
  v.transform(Number),
);

export const protoNumber = v.union([v.number(), numberText]);

/**
 * The name of a value. A number without a name becomes its digits, which are no name.
 *
 * @param names by their numbers, from 0
 */
export const protoEnum = (names: readonly string[]) =>
  v.pipe(
    v.union([v.pipe(v.string(), v.maxLength(64)), v.pipe(v.number(), v.safeInteger())]),
    v.description(`A name, or its number: ${names.map((name, at) => `${at} ${name}`).join(", ")}.`),
    v.transform((value) => (typeof value === "number" ? (names[value] ?? `${value}`) : value)),
  );
