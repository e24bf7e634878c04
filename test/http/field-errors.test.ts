import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { fieldErrors, shaped, stated } from "../../src/http/field-errors.ts";

const MARK = "SECRET-CONTENT";

const Body = v.pipe(
  v.strictObject({
    plan: v.picklist(["free", "paid"]),
    text: v.optional(v.pipe(v.string(), v.maxLength(256))),
    images: v.optional(
      v.pipe(
        v.array(v.strictObject({ url: v.pipe(v.string(), v.startsWith("https:")) })),
        v.maxLength(2),
      ),
    ),
    input: v.optional(v.union([v.string(), v.array(v.string())])),
    count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    whole: v.optional(v.pipe(v.number(), v.safeInteger())),
    flag: v.optional(v.nullable(v.boolean())),
    metadata: v.optional(v.record(v.string(), v.string())),
    part: v.optional(
      v.variant("type", [
        v.strictObject({ type: v.literal("text"), text: v.string() }),
        v.strictObject({ type: v.literal("image"), url: v.string() }),
      ]),
    ),
    name: v.optional(v.pipe(v.string(), v.regex(shaped(/^[a-z]+$/, "must be lower-case letters")))),
    form: v.optional(v.pipe(v.string(), v.regex(/^[a-z]+$/))),
    choice: v.optional(v.union([v.picklist(["none", "a (b)"]), v.strictObject({})])),
    odd: v.optional(
      v.pipe(
        v.string(),
        v.check((text) => text === ""),
      ),
    ),
  }),
  v.check(stated("needs a text or an image", ({ text, images }) => (text ?? images) !== undefined)),
);

const errorsOf = (value: unknown): ReturnType<typeof fieldErrors> => {
  const result = v.safeParse(Body, value);
  return fieldErrors(result.issues ?? []);
};

/** One wrong field in an otherwise good body. */
const with1 = (field: object): object => ({ plan: "free", text: "a", ...field });

describe("fieldErrors", () => {
  it.each<[object, (string | number)[], string]>([
    [{ text: "a" }, ["plan"], "is required"],
    [with1({ plan: MARK }), ["plan"], 'must be one of "free", "paid"'],
    [with1({ text: 5 }), ["text"], "must be a string"],
    [with1({ text: MARK.repeat(20) }), ["text"], "must be at most 256 characters"],
    [with1({ images: MARK }), ["images"], "must be an array"],
    [with1({ images: [MARK] }), ["images", 0], "must be an object"],
    [with1({ images: [{ url: MARK }] }), ["images", 0, "url"], "must start with https:"],
    [with1({ images: [{}] }), ["images", 0, "url"], "is required"],
    [
      with1({ images: Array.from({ length: 3 }, () => ({ url: "https://a" })) }),
      ["images"],
      "must have at most 2 items",
    ],
    [with1({ input: 5 }), ["input"], "must be a string or an array"],
    [with1({ input: ["a", 5] }), ["input", 1], "must be a string"],
    [with1({ count: 1.5 }), ["count"], "must be a whole number"],
    [with1({ whole: 1.5 }), ["whole"], "must be a whole number"],
    [with1({ whole: 2 ** 63 }), ["whole"], "must be from -9007199254740991 to 9007199254740991"],
    [with1({ count: 0 }), ["count"], "must be at least 1"],
    [with1({ flag: MARK }), ["flag"], "must be true or false"],
    [with1({ metadata: { thread: 5 } }), ["metadata", "thread"], "must be a string"],
    [with1({ metadata: { [`${MARK} `]: 5 } }), ["metadata", "*"], "must be a string"],
    [with1({ part: { type: MARK } }), ["part", "type"], 'must be one of "text", "image"'],
    [with1({ part: { type: "text" } }), ["part", "text"], "is required"],
    [with1({ name: MARK }), ["name"], "must be lower-case letters"],
    [with1({ form: MARK }), ["form"], "does not have the required form"],
    [with1({ choice: 5 }), ["choice"], 'must be one of "none", "a (b)" or an object'],
    [with1({ odd: MARK }), ["odd"], "is not valid"],
    [with1({ pictures: MARK }), ["pictures"], "is not a known field"],
    [with1({ [`${MARK} and more`]: 1 }), ["*"], "is not a known field"],
    [with1({ ["k".repeat(65)]: 1 }), ["*"], "is not a known field"],
    [{ plan: "free" }, [], "needs a text or an image"],
  ])("%j", (body, path, detail) => {
    const errors = errorsOf(body);
    expect(errors).toEqual([{ path, detail }]);
    expect(JSON.stringify(errors)).not.toContain(MARK);
  });

  it("gives at most 20", () => {
    const images = Array.from({ length: 100 }, () => MARK);
    const errors = errorsOf({ plan: "free", images });
    expect(errors).toHaveLength(20);
    expect(JSON.stringify(errors)).not.toContain(MARK);
  });

  it("never reads valibot's message", () => {
    const result = v.safeParse(v.string(), 5, { message: MARK });
    expect(fieldErrors(result.issues ?? [])).toEqual([{ path: [], detail: "must be a string" }]);
  });
});

describe("the error of a value that may be of several types", () => {
  const text = v.pipe(v.string(), v.minLength(1));
  const ids = v.pipe(v.array(v.number()), v.minLength(1));
  const schema = v.object({
    input: v.union([text, v.pipe(v.array(text), v.minLength(1), v.maxLength(1)), ids]),
  });
  const errors = (input: unknown) => fieldErrors(v.safeParse(schema, { input }).issues ?? []);

  it.each([
    [[], [{ path: ["input"], detail: "must not be empty" }]],
    ["", [{ path: ["input"], detail: "must not be empty" }]],
    [[null], [{ path: ["input", 0], detail: "must be a string" }]],
    [["a", "b"], [{ path: ["input"], detail: "must have at most 1 item" }]],
    [5, [{ path: ["input"], detail: "must be a string or an array" }]],
  ])("is one: %j", (input, wanted) => {
    expect(errors(input)).toEqual(wanted);
  });
});
