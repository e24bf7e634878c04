import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addSums,
  CALL_FIELDS,
  emptySum,
  ENGINE_FIELDS,
  exactSum,
  type Fields,
  fieldsWithout,
  onlyFields,
  subtractSums,
  USER_FIELDS,
} from "../../../src/domain/usage/usage-sum.ts";

type Value = number | bigint | Readonly<Record<string, number | bigint>>;
type Sum = Readonly<Record<string, Value>>;

/** A million of them are still safe integers. */
const MOST = 2 ** 33;

const number = fc.integer({ min: -MOST, max: MOST });
/** Beyond what a number holds. */
const bigint = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n });

const byName = <Of>(value: fc.Arbitrary<Of>) =>
  fc.dictionary(fc.constantFrom("a", "b", "0.011", "7", "toString"), value, {
    noNullPrototype: true,
  });

/** Any sum of these fields, in either form. */
const anySum = (fields: Fields, amount: fc.Arbitrary<number | bigint>): fc.Arbitrary<Sum> =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, kind]): [string, fc.Arbitrary<Value>] => [
        name,
        { count: number, counts: byName(number), amount, amounts: byName(amount) }[kind],
      ]),
    ),
  );

const KINDS: readonly (readonly [string, Fields])[] = [
  ["what engines did", ENGINE_FIELDS],
  ["calls", CALL_FIELDS],
  ["a user's calls", USER_FIELDS],
];

const FORMS = [
  ["numbers", number, 0],
  ["bigints", bigint, 0n],
] as const;

const CASES = KINDS.flatMap(([of, fields]) =>
  FORMS.map(([form, amount, zero]) => ({ of, form, fields, amount, zero })),
);

const empty = (fields: Fields, zero: number | bigint): Sum =>
  typeof zero === "number" ? emptySum(fields, zero) : emptySum(fields, zero);

const total = (fields: Fields, zero: number | bigint, sums: readonly Sum[]): Sum =>
  sums.reduce((sum, more) => addSums(fields, sum, more), empty(fields, zero));

const add = (values: readonly (number | bigint)[]): number | bigint =>
  values.reduce((sum, value) =>
    typeof sum === "bigint" ? sum + BigInt(value) : sum + Number(value),
  );

/** Each field added up by itself: what the adder is held against. */
const plainTotal = (fields: Fields, zero: number | bigint, sums: readonly Sum[]): Sum =>
  Object.fromEntries(
    Object.entries(fields).map(([name, kind]) => {
      const from = kind === "count" || kind === "counts" ? 0 : zero;
      const values = sums.map((sum) => sum[name] ?? expect.fail(`no ${name}`));
      if (kind === "count" || kind === "amount") {
        return [name, add([from, ...(values as (number | bigint)[])])];
      }
      const entries = values.flatMap((value) => Object.entries(value));
      const named = Map.groupBy(entries, ([key]) => key);
      return [
        name,
        Object.fromEntries(
          [...named].map(([key, some]) => [key, add([from, ...some.map(([, value]) => value)])]),
        ),
      ];
    }),
  );

describe.each(CASES)("sums of $of, in $form", ({ fields, amount, zero }) => {
  const sums = fc.array(anySum(fields, amount), { maxLength: 8 });

  it("are what each field adds up to", () => {
    fc.assert(
      fc.property(sums, (parts) => {
        expect(total(fields, zero, parts)).toEqual(plainTotal(fields, zero, parts));
      }),
    );
  });

  it("are the same however the parts are grouped and ordered", () => {
    fc.assert(
      fc.property(sums, fc.nat(8), fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), (...ask) => {
        const [parts, at, places] = ask;
        const whole = total(fields, zero, parts);
        const halves = [parts.slice(0, at), parts.slice(at)].map((some) =>
          total(fields, zero, some),
        );
        expect(total(fields, zero, halves)).toEqual(whole);
        const mixed = parts
          .map((part, index) => ({ part, place: places[index] ?? 0 }))
          .toSorted((a, b) => a.place - b.place)
          .map(({ part }) => part);
        expect(total(fields, zero, mixed)).toEqual(whole);
      }),
    );
  });

  it("less a part are the rest", () => {
    fc.assert(
      fc.property(anySum(fields, amount), anySum(fields, amount), (part, rest) => {
        const all = addSums(fields, rest, part);
        const left = subtractSums(fields, all as never, part as never) as Sum;
        const shown = (sum: Sum) => addSums(fields, empty(fields, zero), withoutZeros(sum));
        expect(shown(left)).toEqual(shown(rest));
      }),
    );
  });
});

const withoutZeros = (sum: Sum): Sum =>
  Object.fromEntries(
    Object.entries(sum).map(([name, value]) => [
      name,
      typeof value === "object"
        ? Object.fromEntries(Object.entries(value).filter(([, some]) => Number(some) !== 0))
        : value,
    ]),
  );

describe.each(KINDS)("the bigint form of %s", (_, fields) => {
  it("of the parts adds up to that of the whole", () => {
    const parts = fc.array(anySum(fields, number), { maxLength: 8 });
    fc.assert(
      fc.property(parts, (some) => {
        const exact = some.map((part) => exactSum(fields, part as never) as Sum);
        expect(total(fields, 0n, exact)).toEqual(exactSum(fields, total(fields, 0, some) as never));
      }),
    );
  });
});

describe("a row", () => {
  const row = { hour: 1, model: "m", ...emptySum(ENGINE_FIELDS, 0), sequence: 7 };

  it("keeps its key, what it has beside the sum, and the order of its fields", () => {
    const sum = addSums(ENGINE_FIELDS, row, { microNeurons: 5, units: { image: 2 } });
    expect(sum).toEqual({ ...row, microNeurons: 5, units: { image: 2 } });
    expect(Object.keys(sum)).toEqual(Object.keys(row));
    expect(row.units).toEqual({});
  });

  it("adds only the fields that it is of", () => {
    const fields = onlyFields(ENGINE_FIELDS, "failed", "units");
    const more = { ...row, failed: 1, units: { image: 1 }, held: 3 };
    const some = addSums(fields, emptySum(fields, 0), more);
    expect(some).toEqual({ failed: 1, units: { image: 1 } });
    expect(Object.keys(fieldsWithout(USER_FIELDS, "calls"))).toEqual(["microNeurons"]);
  });

  it("of before a field was counted has 0 of it", () => {
    expect(exactSum(USER_FIELDS, { calls: 2 })).toEqual({ calls: 2, microNeurons: 0n });
    const { verdicts: _verdicts, ...before } = emptySum(CALL_FIELDS, 0);
    expect(exactSum(CALL_FIELDS, before).verdicts).toEqual({});
    const after = addSums(CALL_FIELDS, before as { verdicts?: Record<string, number> }, {
      verdicts: { made: 1 },
    });
    expect(after.verdicts).toEqual({ made: 1 });
  });
});
