import type { Item } from "../ledger/ledger.ts";

// What usage is counted in, and how it adds up. Every row of usage is a key and such a sum: a day's
// totals, the rows of the reports, a report's groups, a statement's lines, the reconciliation. A new
// field is added to `ENGINE_FIELDS` or `CALL_FIELDS`; rows that leave fields out name them.
//
// A sum has two forms. Within a tenant all numbers are safe integers. Over all tenants amounts may be
// larger than that: there they are BigInt. Amounts are µN.

/** `count` is a number in both forms, `amount` is µN; `counts` and `amounts` are many, by name. */
type Kind = "count" | "counts" | "amount" | "amounts";

export type Fields = Readonly<Record<string, Kind>>;

type Amount = number | bigint;

interface Values<Of extends Amount> {
  readonly count: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly amount: Of;
  readonly amounts: Readonly<Record<string, Of>>;
}

/** The fields of a sum, in number form or in bigint form. */
export type SumOf<Some extends Fields, Of extends Amount> = {
  readonly [Name in keyof Some]: Values<Of>[Some[Name]];
};

/** What engines did. The order is that of the stored rows. */
export const ENGINE_FIELDS = {
  engineRequests: "count",
  /** Stages that failed. */
  failed: "count",
  inputTokens: "count",
  outputTokens: "count",
  /** By the units of the price table. */
  units: "counts",
  /** Charged, before adjustments. */
  microNeurons: "amount",
  /** Of it, by an estimator. */
  estimated: "amount",
  /** Of it, at the bound, since the use is unknown. */
  held: "amount",
  /** Used beyond what was held: the platform's cost, not in `microNeurons`. */
  overrun: "amount",
  /** Of `microNeurons`, by calls that settled on a later day than they were admitted. */
  settledAfterMidnight: "amount",
  /** A histogram of the calls that it was part of, from admission to settlement. */
  latency: "counts",
} as const satisfies Fields;

/** How calls ended and what they drew. The order is that of the stored rows. */
export const CALL_FIELDS = {
  /** `posted + voided + expired`. */
  calls: "count",
  posted: "count",
  voided: "count",
  expired: "count",
  /** Of the posted ones, those of which a stage failed. */
  failed: "count",
  /** What was drawn, adjustments included: the journal's own amounts. */
  quota: "amount",
  granted: "amount",
  overage: "amount",
  /** The overage by its rate, USD per 1,000 neurons, as the journal keeps it. */
  overageByRate: "amounts",
  /** Of what was drawn, by adjustments: negative or 0. */
  adjusted: "amount",
  /** Refused calls by kind. */
  refused: "counts",
  /** What verdicts came to, by name (`day-totals.ts`). */
  verdicts: "amounts",
  /** Documents, runs and the like, by name (`work.ts`). */
  work: "amounts",
  /** A histogram, from admission to settlement. */
  latency: "counts",
  settledAfterMidnight: "amount",
} as const satisfies Fields;

/** The calls of one user. */
export const USER_FIELDS = { calls: "count", microNeurons: "amount" } as const satisfies Fields;

export type EngineSum<Of extends Amount> = SumOf<typeof ENGINE_FIELDS, Of>;
export type CallSum<Of extends Amount> = SumOf<typeof CALL_FIELDS, Of>;
export type UserSum<Of extends Amount> = SumOf<typeof USER_FIELDS, Of>;

/** Whatever was used: what engines did, and how the calls ended that asked them. */
export interface UsageSum<Of extends Amount> {
  readonly engines: EngineSum<Of>;
  readonly calls: CallSum<Of>;
}

/** Some of the fields. */
export const onlyFields = <Some extends Fields, Name extends keyof Some & string>(
  fields: Some,
  ...names: readonly Name[]
): Pick<Some, Name> => {
  const isIn = (name: string) => (names as readonly string[]).includes(name);
  return selected(fields, isIn) as Pick<Some, Name>;
};

/** All of the fields but these. */
export const fieldsWithout = <Some extends Fields, Name extends keyof Some & string>(
  fields: Some,
  ...names: readonly Name[]
): Omit<Some, Name> => {
  const isIn = (name: string) => !(names as readonly string[]).includes(name);
  return selected(fields, isIn) as Omit<Some, Name>;
};

const selected = (fields: Fields, isIn: (name: string) => boolean): unknown =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => isIn(name)));

export const isByName = (kind: Kind): boolean => kind === "counts" || kind === "amounts";

/** The sum of nothing, in the form of `zero`. */
export function emptySum<Some extends Fields>(fields: Some, zero: number): SumOf<Some, number>;
export function emptySum<Some extends Fields>(fields: Some, zero: bigint): SumOf<Some, bigint>;
export function emptySum(fields: Fields, zero: Amount): unknown {
  const valueOf = (kind: Kind) => (isByName(kind) ? {} : kind === "count" ? 0 : zero);
  return mapFields(fields, (_, kind) => valueOf(kind));
}

/** These fields of a row in number form, as bigint form. A field that the row lacks is 0. */
export const exactSum = <Some extends Fields>(
  fields: Some,
  row: Partial<SumOf<Some, number>>,
): SumOf<Some, bigint> =>
  mapFields(fields, (name, kind) => {
    const value: unknown = row[name as keyof Some];
    if (!isByName(kind)) return kind === "count" ? (value ?? 0) : BigInt((value ?? 0) as number);
    const counts = (value ?? {}) as Readonly<Record<string, number>>;
    return kind === "counts" ? counts : mapValues(counts, BigInt);
  }) as SumOf<Some, bigint>;

type Value = Amount | Readonly<Record<string, Amount>>;

/**
 * A row whose fields are those of `row` and `more` together. What else the row has stays; what `more`
 * lacks adds nothing.
 *
 * @param more in the form of the row
 */
export function addSums<Some extends Fields, Row extends object>(
  fields: Some,
  row: Row,
  more: Partial<Pick<Row, keyof Row & keyof Some>>,
): Row {
  const sum = { ...row } as Record<string, Value | undefined>;
  for (const name of Object.keys(fields)) {
    const value = (more as Readonly<Record<string, Value | undefined>>)[name];
    if (value !== undefined) sum[name] = added(sum[name], value);
  }
  return sum as Row;
}

function added(a: Value | undefined, b: Value): Value {
  if (typeof b === "object") return addNamed((a ?? {}) as Readonly<Record<string, Amount>>, b);
  return a === undefined ? b : plus(a as Amount, b);
}

/** Counts or amounts by name. */
export function addNamed<Of extends Amount>(
  a: Readonly<Record<string, Of>>,
  b: Readonly<Record<string, Of>>,
): Readonly<Record<string, Of>> {
  const sum: Record<string, Of> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = ownValue(sum, name);
    sum[name] = before === undefined ? value : plus(before, value);
  }
  return sum;
}

const ownValue = <Of>(values: Readonly<Record<string, Of>>, name: string): Of | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined;

/** Both have the same form. */
const plus = <Of extends Amount>(a: Of, b: Of): Of => ((a as number) + (b as number)) as Of;
const minus = <Of extends Amount>(a: Of, b: Of): Of => ((a as number) - (b as number)) as Of;

/** What is left of `all` without a part of it. Of what is by name, what comes to 0 is left out. */
export const subtractSums = <Some extends Fields, Of extends Amount>(
  fields: Some,
  all: SumOf<Some, Of>,
  part: SumOf<Some, Of>,
): SumOf<Some, Of> =>
  mapFields(fields, (name, kind) => {
    const [a, b] = [all[name as keyof Some] as unknown, part[name as keyof Some] as unknown];
    return isByName(kind)
      ? subtractNamed(a as Readonly<Record<string, Of>>, b as Readonly<Record<string, Of>>)
      : minus(a as Of, b as Of);
  }) as SumOf<Some, Of>;

export const subtractNamed = <Of extends Amount>(
  all: Readonly<Record<string, Of>>,
  part: Readonly<Record<string, Of>>,
): Readonly<Record<string, Of>> => {
  const left = mapValues(all, (value, name) => {
    const taken = ownValue(part, name);
    return taken === undefined ? value : minus(value, taken);
  });
  return Object.fromEntries(Object.entries(left).filter(([, value]) => Number(value) !== 0));
};

const mapFields = (fields: Fields, valueOf: (name: string, kind: Kind) => unknown): unknown =>
  Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, valueOf(name, kind)]));

const mapValues = <From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From, name: string) => To,
): Readonly<Record<string, To>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));

/** What one stage of a call adds, but for what only its call knows: when it settled, how long it took. */
export const sumOfItem = ({
  calls,
  failed,
  units,
  microNeurons,
  basis,
  overrun,
}: Item): Omit<EngineSum<number>, "settledAfterMidnight" | "latency"> => ({
  engineRequests: calls,
  failed: failed ? 1 : 0,
  inputTokens: units.input_token ?? 0,
  outputTokens: units.output_token ?? 0,
  units: { ...units },
  microNeurons,
  estimated: basis === "estimated" ? microNeurons : 0,
  held: basis === "held" ? microNeurons : 0,
  overrun,
});
