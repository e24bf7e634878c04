import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { integer, sample } from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mergeLatencies } from "../../src/domain/usage/latency-histogram.ts";
import type { CallHour, UsageHour } from "../../src/domain/usage/report-rows.ts";
import type { GroupKey } from "../../src/domain/usage/usage-report.ts";
import type { Place, UsageScope } from "../../src/reports/usage-columns.ts";
import { readGroups, readTotals } from "../../src/reports/usage-store.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  type Owner,
  seedCallHours,
  seedUsageHours,
  seedUserDays,
} from "./seed-rows.ts";

beforeEach(() => migrateReports(env.REPORTS));
afterEach(() => reset());

const DAY = 20_777;
const HOUR = DAY * 24;
const ALL: UsageScope = { from: DAY - 30, to: DAY + 30, tenant: null };

const MODELS = [
  { model: "@cf/meta/llama", pricedAs: "@cf/meta/llama", task: "text_generation" },
  { model: "@cf/hf/distilbert", pricedAs: "@cf/hf/distilbert", task: "text_classification" },
  { model: "neurogate/lexicon@1", pricedAs: "@cf/meta/llama", task: "text_generation" },
];
const OWNERS: readonly Owner[] = [
  { tenant: "acme", generation: 1 },
  { tenant: "acme", generation: 2 },
  { tenant: "zenith", generation: 1 },
];

/** Made up, the same each time: two days of three lives. */
function madeUp() {
  const numbers = sample(integer({ min: 0, max: 2 ** 40 }), { numRuns: 4000, seed: 7 }).values();
  const next = (below: number): number => (numbers.next().value ?? 0) % below;
  const usage: (Owner & UsageHour)[] = [];
  const calls: (Owner & CallHour)[] = [];
  for (const owner of OWNERS) {
    for (let at = 0; at < 12; at += 1) {
      const hour = HOUR + at * 4;
      for (const model of MODELS.slice(0, 1 + next(3))) {
        const [microNeurons, tokens, cached] = [next(2 ** 40), next(1000), next(3)];
        const written = next(1000);
        usage.push({
          ...A_USAGE_HOUR,
          ...owner,
          ...model,
          hour,
          engineRequests: 1 + next(50),
          failed: next(2),
          inputTokens: tokens,
          outputTokens: written,
          units: {
            input_token: tokens,
            output_token: written,
            ...(next(2) === 0 ? {} : { image: next(9) }),
            ...(cached === 0 ? {} : { cached_input_token: cached }),
          },
          microNeurons,
          estimated: next(microNeurons + 1),
          held: next(1000),
          overrun: next(10),
          latency: { [next(40)]: 1 + next(9), [40 + next(9)]: 2 },
        });
      }
      const [half, third] = [next(1e9), next(1e9)];
      calls.push({
        ...A_CALL_HOUR,
        ...owner,
        hour,
        calls: 10 + next(10),
        voided: next(3),
        expired: next(3),
        failed: next(3),
        quota: next(2 ** 40),
        granted: next(1e6),
        overage: half + third,
        overageByRate: { "0.011": half, "0.02": third },
        adjusted: -next(1000),
        refused: next(2) === 0 ? {} : { rate_limited: 1 + next(5) },
        verdicts: next(2) === 0 ? {} : { made: 1 + next(9), micro_neurons: next(2 ** 40) },
        work: next(2) === 0 ? {} : { documents: next(9), document_micro_neurons: next(2 ** 40) },
        latency: { [next(40)]: 1 + next(9) },
      });
    }
  }
  return { usage, calls };
}

const MADE = madeUp();
const seedAll = async () => {
  await seedUsageHours(MADE.usage);
  await seedCallHours(MADE.calls);
};

const isOnFirstDay = ({ hour }: { readonly hour: number }): boolean =>
  hour >= HOUR && hour < HOUR + 24;

type SomeRow = Owner & Pick<UsageHour, "hour"> & Partial<UsageHour>;

const keyOf = (row: SomeRow, by: GroupKey) =>
  ({
    day: Math.floor(row.hour / 24),
    hour: row.hour,
    tenant: row.tenant,
    model: `${row.model}|${row.engine}|${row.pricedAs}`,
    task: row.task,
    user: null,
    key: null,
  })[by];

const add = (rows: readonly object[], name: string): bigint =>
  rows.reduce((sum, row) => sum + BigInt((row as Record<string, number>)[name] ?? 0), 0n);

const addKeys = (rows: readonly object[], name: string): Readonly<Record<string, number>> => {
  const all = rows.map((row) => (row as Record<string, Record<string, number>>)[name] ?? {});
  // A latency's buckets add up as any counts do.
  return mergeLatencies(all);
};

const enginesOf = (rows: readonly UsageHour[]) => ({
  engineRequests: Number(add(rows, "engineRequests")),
  failed: Number(add(rows, "failed")),
  units: addKeys(rows, "units"),
  microNeurons: add(rows, "microNeurons"),
  estimated: add(rows, "estimated"),
  held: add(rows, "held"),
  overrun: add(rows, "overrun"),
});

/** Totals have of units the tokens. */
const tokensAlone = ({ units, ...engines }: ReturnType<typeof enginesOf>) => ({
  ...engines,
  units: Object.fromEntries(Object.entries(units).filter(([name]) => name.includes("token"))),
});

const callsOf = (rows: readonly CallHour[]) => ({
  calls: Number(add(rows, "calls")),
  voided: Number(add(rows, "voided")),
  expired: Number(add(rows, "expired")),
  failed: Number(add(rows, "failed")),
  quota: add(rows, "quota"),
  granted: add(rows, "granted"),
  overage: add(rows, "overage"),
  adjusted: add(rows, "adjusted"),
  overageByRate: addAmounts(rows, "overageByRate"),
  refused: addKeys(rows, "refused"),
  verdicts: addAmounts(rows, "verdicts"),
  work: addAmounts(rows, "work"),
});

const addAmounts = (rows: readonly object[], name: string) =>
  Object.fromEntries(Object.entries(addKeys(rows, name)).map(([key, sum]) => [key, BigInt(sum)]));

/** What the rows add up to, in the order of their keys. */
function expectedOf(groupBy: readonly GroupKey[], ofCalls: boolean) {
  const id = (row: Owner & { readonly hour: number }) =>
    JSON.stringify(groupBy.map((by) => keyOf(row, by)));
  const usage = Map.groupBy(MADE.usage, id);
  const calls = Map.groupBy(MADE.calls, id);
  return [...(ofCalls ? calls : usage).keys()].map((key) => {
    const [ran, called] = [usage.get(key) ?? [], calls.get(key) ?? []];
    return {
      engines: enginesOf(ran),
      calls: ofCalls ? callsOf(called) : null,
      user: null,
      latency: addKeys(ofCalls ? called : ran, "latency"),
    };
  });
}

const byAmount = <Group extends { engines: { microNeurons: bigint } | null }>(
  groups: readonly Group[],
) =>
  groups.toSorted((a, b) =>
    (a.engines?.microNeurons ?? 0n) < (b.engines?.microNeurons ?? 0n) ? -1 : 1,
  );

describe("groups of usage", () => {
  it.each<[readonly GroupKey[], boolean]>([
    [["day"], true],
    [["tenant"], true],
    [["hour", "tenant"], true],
    [["day", "tenant"], true],
    [["model"], false],
    [["task"], false],
    [["day", "model"], false],
    [["tenant", "task", "day"], false],
    [["day", "hour", "tenant", "model", "task"], false],
  ])("by %j are what the rows add up to, to the micro-neuron", async (groupBy, ofCalls) => {
    await seedAll();
    const read = await readGroups(env.REPORTS, ALL, { groupBy, after: null, limit: 500 });
    const groups = read.groups.map(({ engines, calls, user, latency }) => ({
      engines,
      calls,
      user,
      latency,
    }));
    expect(byAmount(groups)).toEqual(byAmount(expectedOf(groupBy, ofCalls)));
    expect(read.next).toBeNull();
  });

  it("come in the order of their keys, page by page, without a gap", async () => {
    await seedAll();
    const groupBy = ["tenant", "day", "model"] as const;
    const whole = await readGroups(env.REPORTS, ALL, { groupBy, after: null, limit: 500 });
    const keys = whole.groups.map(({ key: { tenant, day, model } }) => [tenant, day, model]);
    expect(keys).toEqual(keys.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)));
    const paged = [];
    let after: Place | null = null;
    do {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const page: Awaited<ReturnType<typeof readGroups>> = await readGroups(env.REPORTS, ALL, {
        groupBy,
        after,
        limit: 5,
      });
      paged.push(...page.groups);
      expect(page.groups.length).toBe(
        Math.min(5, whole.groups.length - paged.length + page.groups.length),
      );
      after = page.next;
    } while (after !== null);
    expect(paged).toEqual(whole.groups);
  });

  it("are exact above 2^53, where numbers are not", async () => {
    const microNeurons = 2 ** 53 - 1;
    const hours = [0, 1, 2].map((hour) => ({ ...OWNERS[0], hour: HOUR + hour }));
    const owner = OWNERS[0] ?? expect.fail("there is one");
    await seedUsageHours(hours.map((at) => ({ ...A_USAGE_HOUR, ...owner, ...at, microNeurons })));
    await seedCallHours(
      hours.map((at) => ({
        ...A_CALL_HOUR,
        ...owner,
        ...at,
        overage: microNeurons,
        overageByRate: { "0.011": microNeurons },
      })),
    );
    const sum = 3n * (2n ** 53n - 1n);
    const { engines, calls } = await readTotals(env.REPORTS, ALL);
    expect(engines.microNeurons).toBe(sum);
    expect(calls).toMatchObject({ overage: sum, overageByRate: { "0.011": sum } });
  });

  it("are of one tenant where one is named, of all its lives", async () => {
    await seedAll();
    const scope = { ...ALL, tenant: "acme" };
    const { groups } = await readGroups(env.REPORTS, scope, {
      groupBy: ["tenant"],
      after: null,
      limit: 9,
    });
    expect(groups.map(({ key }) => key.tenant)).toEqual(["acme"]);
    const own = MADE.calls.filter(({ tenant }) => tenant === "acme");
    expect(groups[0]?.calls).toEqual(callsOf(own));
    const none = { groupBy: ["tenant"] as const, after: null, limit: 9 };
    expect((await readGroups(env.REPORTS, { ...ALL, tenant: "acm" }, none)).groups).toEqual([]);
  });

  it("include the first day of a range and leave out its end", async () => {
    await seedAll();
    const scope = { from: DAY, to: DAY + 1, tenant: null };
    const { engines, calls, latency } = await readTotals(env.REPORTS, scope);
    expect(engines).toEqual(tokensAlone(enginesOf(MADE.usage.filter(isOnFirstDay))));
    expect(calls).toEqual(callsOf(MADE.calls.filter(isOnFirstDay)));
    expect(latency).toEqual(addKeys(MADE.calls.filter(isOnFirstDay), "latency"));
  });

  it("are nothing where there is nothing", async () => {
    const { groups } = await readGroups(env.REPORTS, ALL, {
      groupBy: ["day"],
      after: null,
      limit: 9,
    });
    expect(groups).toEqual([]);
    const { engines, calls } = await readTotals(env.REPORTS, ALL);
    expect([engines.microNeurons, calls.calls, calls.overageByRate]).toEqual([0n, 0, {}]);
  });
});

describe("users", () => {
  it("have days of their own; beyond the first thousand they are one", async () => {
    const owner = { tenant: "acme", generation: 1, sequence: 1 };
    await seedUserDays([
      { ...owner, day: DAY, slot: 1, userId: "u_1", calls: 2, microNeurons: 5 },
      { ...owner, day: DAY + 1, slot: 1, userId: "u_1", calls: 3, microNeurons: 7 },
      { ...owner, day: DAY, slot: 2, userId: "u_2", calls: 1, microNeurons: 1 },
      { ...owner, day: DAY, slot: 0, userId: "", calls: 9, microNeurons: 90 },
      { ...owner, tenant: "zenith", day: DAY, slot: 1, userId: "u_1", calls: 4, microNeurons: 4 },
    ]);
    const scope = { from: DAY, to: DAY + 2, tenant: "acme" };
    const read = (groupBy: readonly GroupKey[]) =>
      readGroups(env.REPORTS, scope, { groupBy, after: null, limit: 50 });
    const { groups } = await read(["user"]);
    expect(groups.map(({ key, user }) => [key.user, user?.calls, user?.microNeurons])).toEqual([
      [null, 9, 90n],
      ["u_1", 5, 12n],
      ["u_2", 1, 1n],
    ]);
    const byDay = await read(["day", "user"]);
    expect(byDay.groups.map(({ key }) => [key.day, key.user])).toEqual([
      [DAY, null],
      [DAY, "u_1"],
      [DAY, "u_2"],
      [DAY + 1, "u_1"],
    ]);
  });
});

describe("what the platform itself cost", () => {
  it("is counted from the rows of the reports", async () => {
    const owner = { tenant: "acme", generation: 1 };
    await seedUsageHours([
      { ...A_USAGE_HOUR, ...owner, hour: HOUR, engineRequests: 5, engine: "cache" },
      { ...A_USAGE_HOUR, ...owner, hour: HOUR, engineRequests: 7, task: "text_to_image" },
      { ...A_USAGE_HOUR, ...owner, hour: HOUR + 1, engineRequests: 3 },
    ]);
    await seedCallHours([{ ...A_CALL_HOUR, ...owner, hour: HOUR }]);
    expect((await readTotals(env.REPORTS, ALL)).platform).toEqual({
      cached: 5,
      pictures: 7,
      reportRows: 4,
    });
    const nothing = await readTotals(env.REPORTS, { ...ALL, to: DAY });
    expect(nothing.platform).toEqual({ cached: 0, pictures: 0, reportRows: 0 });
  });
});

/** One row of each table a day. */
async function seedDays(tenants: readonly string[], first: number, count: number): Promise<void> {
  const hours = Array.from({ length: count }, (_, at) => (first + at) * 24);
  const owned = tenants.flatMap((tenant) => hours.map((hour) => ({ tenant, generation: 1, hour })));
  await seedUsageHours(owned.map((at) => ({ ...A_USAGE_HOUR, ...at })));
  await seedCallHours(owned.map((at) => ({ ...A_CALL_HOUR, ...at })));
}

describe("the rows read", () => {
  const month = { from: DAY, to: DAY + 30 };
  const own = { ...month, tenant: "c" };
  const all = { ...month, tenant: null };
  const page = { groupBy: ["day", "model"] as const, after: null, limit: 50 };
  const readAll = async () => ({
    own: (await readTotals(env.REPORTS, own)).rowsRead,
    ownPage: (await readGroups(env.REPORTS, own, page)).rowsRead,
    all: (await readTotals(env.REPORTS, all)).rowsRead,
  });

  it("are bounded by the range: what was before and after it, or of whom, adds none", async () => {
    // A range is read to the first row behind it: there is one from the start.
    await seedDays(["c"], DAY - 1, 32);
    const alone = await readAll();
    // 30 rows of either table: for the sums, and once for each column of JSON; and what is closed.
    expect(alone.all).toBeLessThanOrEqual(30 * 9 + 25);
    expect(alone.ownPage).toBeLessThanOrEqual(30 * 20);
    await seedDays(["c"], DAY - 101, 100);
    await seedDays(["c"], DAY + 31, 100);
    expect(await readAll()).toEqual(alone);
    await seedDays(["a", "b", "d"], DAY, 30);
    const { all: ofFour, ...others } = await readAll();
    expect(others).toEqual({ own: alone.own, ownPage: alone.ownPage });
    expect(ofFour).toBeGreaterThan(alone.all);
    expect(ofFour).toBeLessThanOrEqual(4 * alone.all);
  });
});
