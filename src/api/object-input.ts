import * as v from "valibot";
import { isExactNumber } from "../io/exact-json.ts";

// The objects of a caller's body. valibot's own schemas also take a list as an object, with its indices as
// names: `metadata: ["a"]` would be `{ "0": "a" }`. Every object that a body may hold is made here.

/** A JSON object, or the fields of a form. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !isExactNumber(value);

export const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** The same schema, with another value in place of some of what it is given. */
function given<S extends v.GenericSchema>(schema: S, instead: (value: unknown) => unknown): S {
  const { "~run": run } = schema;
  const read: S["~run"] = function (this: S, dataset, config) {
    return run.call(this, { value: instead(dataset.value) }, config);
  };
  // oxlint-disable-next-line no-underscore-dangle -- valibot exports it so for schemas of others
  return v._standardSchema({ ...schema, "~run": read });
}

/** A value that is no object gets the error of null. */
const onlyObjects = <S extends v.GenericSchema>(schema: S): S =>
  given(schema, (value) => (isFields(value) ? value : null));

/** An object in which a field that is not known is an error. */
export const strictObject = <const E extends v.ObjectEntries>(entries: E) =>
  onlyObjects(v.strictObject(entries));

/** An object in which a field that is not known is left out. */
export const object = <const E extends v.ObjectEntries>(entries: E) =>
  onlyObjects(v.object(entries));

/** An object whose names are the caller's own. */
export const record = <
  const K extends v.BaseSchema<string, string | number | symbol, v.BaseIssue<unknown>>,
  const V extends v.GenericSchema,
>(
  names: K,
  values: V,
) => onlyObjects(v.record(names, values));

/** For the drop-in surfaces: PHP writes an object without fields as an empty list. */
export const orEmptyList = <S extends v.GenericSchema>(schema: S): S =>
  given(schema, (value) => (isEmptyList(value) ? {} : value));

/** Any object, for the drop-in surfaces: the schema of a tool or of an answer, options of a model. */
export const jsonObject = orEmptyList(record(v.string(), v.unknown()));
