import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Day } from "../../src/domain/ledger/period.ts";
import type { ReportRow } from "../../src/domain/usage/report-rows.ts";
import { GROUP_KEYS, type GroupKey, type UsageGroup } from "../../src/domain/usage/usage-report.ts";
import { daySumsOf } from "../../src/domain/usage/day-sums.ts";
import { addUpADay, addUpTenants, closeADay } from "../../src/reports/closed-days-store.ts";
import { addUpHours, closeHours } from "../../src/reports/closed-hours-store.ts";
import { readUpkeep, rollDays } from "../../src/reports/upkeep-store.ts";
import { readLargest } from "../../src/reports/largest-usage-store.ts";
import { ReconciliationStore } from "../../src/reports/reconciliation-store.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { PURGED, purgeRows } from "../../src/reports/purge-store.ts";
import {
  clearRows,
  endRows,
  hourlyDayOf,
  writeLastRows,
  writeRolledDays,
  writeRows,
} from "../../src/reports/reports-store.ts";
import type { Place, UsageScope } from "../../src/reports/usage-columns.ts";
import { readDrawn, readGroups, readTotals } from "../../src/reports/usage-store.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  type Owner,
  seedCallHours,
  seedUsageHours,
} from "./seed-rows.ts";

// Whatever is closed, marked, added up, rolled up, rebuilt, ended or purged, and in whatever order, a
// report comes to what the rows come to that were written. The reference is plain: a list of rows in the
// test's own memory, added up by nothing but loops over BigInt.

beforeEach(() => migrateReports(env.REPORTS));
afterEach(() => reset());

const FIRST: Day = 20_700;
const DAYS = 8;
const ALL: UsageScope = { from: FIRST, to: FIRST + DAYS, tenant: null };
const TENANTS = ["acme", "böse", "c-1", "zenith"];
const MODELS = ["@cf/meta/llama", "@cf/hf/distilbert", "neurogate/lexicon@1"];

/** mulberry32: the same history for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

type Owned = { readonly tenant: string; readonly generation: number; readonly row: ReportRow };

const idOf = ({ tenant, generation, row }: Owned): string =>
  row.kind === "usage_hour"
    ? `${tenant}|${generation}|${row.row.hour}|${row.row.model}`
    : row.kind === "call_hour"
      ? `${tenant}|${generation}|${row.row.hour}`
      : "";

/** A platform whose objects and reports are one thing: what was written is what must be read. */
class History {
  readonly #random;
  readonly rows = new Map<string, Owned>();
  readonly ended = new Set<string>();
  #sequence = 0;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  pick<One>(of: readonly One[]): One {
    return of[this.#random(of.length)] ?? expect.fail("there is one");
  }

  chance = (percent: number): boolean => this.#random(100) < percent;

  #some = (): number => (this.chance(20) ? 2 ** 40 + this.#random(1e6) : this.#random(1e6));

  #rowsOf(hour: number): ReportRow[] {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const models = MODELS.slice(0, this.#random(3) + 1);
    const usage = models.map((model): ReportRow => {
      const [read, written] = [this.#random(50), this.#random(50)];
      const cached = this.chance(30) ? { cached_input_token: 1 + this.#random(9) } : {};
      return {
        kind: "usage_hour",
        row: {
          ...A_USAGE_HOUR,
          hour,
          model,
          pricedAs: model,
          engine: this.chance(20) ? "cache" : "workers-ai",
          engineRequests: 1 + this.#random(9),
          failed: this.#random(2),
          inputTokens: read,
          outputTokens: written,
          units: { input_token: read, output_token: written, ...cached },
          microNeurons: this.#some(),
          estimated: this.#random(100),
          held: this.#random(100),
          overrun: this.#random(100),
          settledAfterMidnight: this.#random(100),
          latency: { [this.#random(6)]: 1 + this.#random(5) },
          sequence,
        },
      };
    });
    const [half, third] = [this.#some(), this.#some()];
    const calls: ReportRow = {
      kind: "call_hour",
      row: {
        ...A_CALL_HOUR,
        hour,
        calls: 1 + this.#random(9),
        posted: 1,
        voided: this.#random(3),
        expired: this.#random(3),
        failed: this.#random(3),
        quota: this.#some(),
        granted: this.#some(),
        overage: half + third,
        overageByRate: this.chance(50) ? {} : { "0.011": half, "0.02": third },
        adjusted: -this.#random(50),
        refused: this.chance(50) ? {} : { rate_limited: 1 + this.#random(5) },
        verdicts: this.chance(50) ? {} : { made: 1 + this.#random(9), micro_neurons: this.#some() },
        work: sequence % 2 === 0 ? {} : { documents: 1 + (sequence % 9), pipeline_ms: third },
        latency: { [this.#random(6)]: 1 + this.#random(5) },
        sequence,
      },
    };
    return [...usage, calls];
  }

  /** As a tenant's object would send them: an hour that is there already is replaced. */
  async write(upToDay: Day): Promise<void> {
    const days = Math.max(1, upToDay - FIRST);
    const day = FIRST + (this.chance(40) ? days - 1 : this.#random(days));
    const owner = { tenant: this.pick(TENANTS), generation: 1 + this.#random(2) };
    if (this.ended.has(`${owner.tenant}|${owner.generation}`)) return;
    const rows = this.#rowsOf(day * 24 + this.#random(24));
    for (const row of rows) this.#keep({ ...owner, row });
    await this.send(owner, rows);
  }

  #keep(one: Owned): void {
    // A model of the hour that is written anew under another engine is another row.
    this.rows.set(
      one.row.kind === "usage_hour" ? `${idOf(one)}|${one.row.row.engine}` : idOf(one),
      one,
    );
  }

  /** What the consumer does: days that have no hours are added up by the object. */
  async send(
    owner: { tenant: string; generation: number },
    rows: readonly ReportRow[],
  ): Promise<void> {
    const { rolledBefore: rolled } = await readUpkeep(env.REPORTS);
    const isOld = (row: ReportRow): boolean => (hourlyDayOf(row) ?? rolled) < rolled;
    const old = new Set(rows.filter(isOld).map((row) => hourlyDayOf(row) ?? 0));
    const mine = this.of(owner.tenant, owner.generation).map(({ row }) => row);
    const sums = daySumsOf(mine.filter((row) => old.has(hourlyDayOf(row) ?? -1)));
    await writeRolledDays(env.REPORTS, owner, sums);
    await writeRows(env.REPORTS, [{ ...owner, rows: rows.filter((row) => !isOld(row)) }], {
      nowMs: 1,
      rolled,
    });
  }

  of = (tenant: string, generation: number): Owned[] =>
    [...this.rows.values()].filter((one) => one.tenant === tenant && one.generation === generation);

  /** All of a life goes, then all of it comes again, in any order. */
  async rebuild(): Promise<void> {
    const owner = { tenant: this.pick(TENANTS), generation: 2 };
    if (this.ended.has(`${owner.tenant}|2`)) return;
    while (await clearRows(env.REPORTS, owner, 3));
    const rows = this.of(owner.tenant, owner.generation).map(({ row }) => row);
    await this.send(owner, rows.toReversed());
  }

  /** Half of what a rebuild deletes, and then what was there. */
  async cutRebuild(): Promise<void> {
    const owner = { tenant: this.pick(TENANTS), generation: 2 };
    if (this.ended.has(`${owner.tenant}|2`)) return;
    await clearRows(env.REPORTS, owner, 2);
    await this.settle(1);
    while (await clearRows(env.REPORTS, owner, 3));
    await this.send(
      owner,
      this.of(owner.tenant, owner.generation).map(({ row }) => row),
    );
  }

  /** A life ends; some of its days stay, under the highest sequence. */
  async end(): Promise<void> {
    const owner = { tenant: this.pick(TENANTS), generation: 1 };
    const name = `${owner.tenant}|1`;
    if (this.ended.has(name)) return;
    this.ended.add(name);
    const days = new Set(this.of(owner.tenant, 1).map(({ row }) => hourlyDayOf(row) ?? 0));
    for (const [id, one] of this.rows) {
      if (one.tenant === owner.tenant && one.generation === 1) this.rows.delete(id);
    }
    while (await endRows(env.REPORTS, owner, 1, 3));
    const last = [...days].flatMap((day) =>
      this.#rowsOf(day * 24).map((row) => {
        const numbered = { ...row.row, sequence: Number.MAX_SAFE_INTEGER };
        return { ...row, row: numbered } as ReportRow;
      }),
    );
    for (const row of last) this.#keep({ ...owner, row });
    await writeLastRows(env.REPORTS, owner, last);
  }

  /** Some steps of what the schedule does. */
  async settle(steps: number, upTo: Day = FIRST + DAYS): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const pickOne = this.#random(9);
      if (pickOne === 0) await closeADay(env.REPORTS, upTo - 1);
      else if (pickOne === 1) await addUpADay(env.REPORTS);
      else if (pickOne === 2) await this.roll();
      else if (pickOne === 3) await this.closeHours();
      else if (pickOne < 6) await addUpHours(env.REPORTS, 1 + this.#random(9));
      else await addUpTenants(env.REPORTS, 1 + this.#random(4));
    }
  }

  /** Of days that are not closed. */
  async closeHours(): Promise<void> {
    const { closedBefore } = await readUpkeep(env.REPORTS);
    await closeHours(env.REPORTS, Math.max(FIRST, closedBefore) * 24 + this.#random(72));
  }

  async roll(): Promise<void> {
    await rollDays(env.REPORTS, FIRST + this.#random(DAYS - 2));
    const { rolledBefore, closedBefore } = await readUpkeep(env.REPORTS);
    const outdated = {
      hours: rolledBefore * 24,
      hourSums: (closedBefore - 1) * 24,
      days: 0,
      userDays: 0,
      expiredAtMs: 0,
      endedAtMs: 0,
    };
    await purgeRows(env.REPORTS, PURGED, { outdated, limit: 1 + this.#random(40) });
  }
}

/* What the rows come to, by nothing but loops. */

type Plain = Record<string, bigint>;

const add = (sums: Plain, name: string, amount: number): void => {
  if (amount !== 0) sums[name] = (sums[name] ?? 0n) + BigInt(amount);
};

const ENGINE_FIELDS = "engineRequests failed microNeurons estimated held overrun".split(" ");
const CALL_FIELDS = "calls voided expired failed quota granted overage adjusted".split(" ");

function addRow(sums: Plain, row: ReportRow, ofCalls: boolean): void {
  const fields = row.row as unknown as Record<string, number>;
  const counts = (name: string, of: unknown): void => {
    for (const [key, count] of Object.entries(of as Record<string, number>)) {
      add(sums, `${name}.${key}`, count);
    }
  };
  if (row.kind === "usage_hour") {
    for (const field of ENGINE_FIELDS) add(sums, `engines.${field}`, fields[field] ?? 0);
    counts("units", row.row.units);
    if (!ofCalls) counts("latency", row.row.latency);
  } else if (row.kind === "call_hour") {
    for (const field of CALL_FIELDS) add(sums, `calls.${field}`, fields[field] ?? 0);
    counts("overage", row.row.overageByRate);
    counts("refused", row.row.refused);
    counts("verdicts", row.row.verdicts ?? {});
    counts("work", row.row.work ?? {});
    counts("latency", row.row.latency);
  }
}

const isOfCalls = (groupBy: readonly GroupKey[]): boolean =>
  !groupBy.includes("model") && !groupBy.includes("task");

function keyOf({ tenant, row }: Owned, groupBy: readonly GroupKey[]): string {
  const { hour, ...rest } = row.row as unknown as Record<string, string | number>;
  const named: Record<string, unknown> = {
    day: hourlyDayOf(row),
    hour,
    tenant,
    model: [rest["model"], rest["engine"]],
    task: rest["task"],
  };
  return JSON.stringify(groupBy.map((key) => named[key]));
}

function plainGroups(rows: readonly Owned[], groupBy: readonly GroupKey[]): Record<string, Plain> {
  const ofCalls = isOfCalls(groupBy);
  const groups: Record<string, Plain> = {};
  for (const one of rows) {
    if (one.row.kind === "call_hour" && !ofCalls) continue;
    const sums = (groups[keyOf(one, groupBy)] ??= {});
    addRow(sums, one.row, ofCalls);
  }
  return groups;
}

function readPlain({ engines, calls, latency }: Omit<UsageGroup, "key" | "user">): Plain {
  const sums: Plain = {};
  const fields = (name: string, of: object | null): void => {
    for (const [field, value] of Object.entries(of ?? {})) {
      const into = field === "overageByRate" ? "overage" : field;
      if (typeof value === "object") fields(into, value as object);
      else if (value !== 0 && value !== 0n) {
        const label = ["engines", "calls"].includes(name) ? `${name}.${field}` : `${name}.${field}`;
        sums[label] = (sums[label] ?? 0n) + BigInt(value as number | bigint);
      }
    }
  };
  fields("engines", engines);
  fields("calls", calls);
  fields("latency", latency);
  return sums;
}

function groupKey({ key }: UsageGroup, groupBy: readonly GroupKey[]): string {
  return JSON.stringify(
    groupBy.map((by) => (by === "model" ? [key.model, key.engine] : key[by as "day"])),
  );
}

async function allPages(groupBy: readonly GroupKey[], scope: UsageScope, limit: number) {
  const groups: UsageGroup[] = [];
  let after: Place | null = null;
  do {
    const page: Awaited<ReturnType<typeof readGroups>> = await readGroups(env.REPORTS, scope, {
      groupBy,
      after,
      limit,
    });
    groups.push(...page.groups);
    expect(page.groups).toHaveLength(page.next === null ? page.groups.length : limit);
    after = page.next;
  } while (after !== null);
  const keys = groups.map((group) => groupKey(group, groupBy));
  expect(new Set(keys).size).toBe(keys.length);
  return Object.fromEntries(groups.map((group, at) => [keys[at] ?? "", readPlain(group)]));
}

const onlyTokens = (sums: Plain): Plain =>
  Object.fromEntries(
    Object.entries(sums).filter(([name]) => !name.startsWith("units.") || name.includes("token")),
  );

const GROUPINGS: readonly (readonly GroupKey[])[] = [
  ["tenant"],
  ["day", "tenant"],
  ["tenant", "day"],
  ["day"],
  ["day", "model"],
  ["tenant", "model"],
  ["model", "tenant", "day"],
  ["task"],
  ["day", "tenant", "model"],
];

/** Hours of open days that are read from sums. */
async function hoursSummed(): Promise<number> {
  const sql = `SELECT COUNT(*) AS n FROM call_hour_sums, upkeep WHERE hour >= 24 * (closed_before - 1)
    AND hour NOT IN (SELECT hour FROM marked_hours)`;
  return Number((await env.REPORTS.prepare(sql).first())?.["n"]);
}

async function expectExact(history: History): Promise<void> {
  const rows = [...history.rows.values()];
  const groupBy = history.pick(GROUPINGS);
  const from = FIRST + history.pick([0, 1, 3]);
  const scope = { ...ALL, from, tenant: history.chance(30) ? history.pick(TENANTS) : null };
  const within = rows.filter(
    ({ tenant, row }) =>
      (hourlyDayOf(row) ?? 0) >= from && (scope.tenant === null || tenant === scope.tenant),
  );
  const limit = history.pick([1, 2, 3, 7, 50]);
  expect(await allPages(groupBy, scope, limit)).toEqual(plainGroups(within, groupBy));

  const [whole = {}] = Object.values(plainGroups(within, []));
  const totals = await readTotals(env.REPORTS, scope);
  expect(readPlain(totals)).toEqual(onlyTokens(whole));
  const drawn = await readDrawn(env.REPORTS, scope);
  expect(drawn.calls).toMatchObject({ quota: totals.calls.quota, calls: totals.calls.calls });
  expect(drawn.calls.overageByRate).toEqual(totals.calls.overageByRate);

  const hours = rows.filter(({ row }) => row.kind === "call_hour" || row.kind === "usage_hour");
  if (scope.tenant === null) {
    expect(totals.platform.reportRows).toBe(
      hours.filter(({ row }) => (hourlyDayOf(row) ?? 0) >= from).length,
    );
    const { groups } = await readLargest(env.REPORTS, scope, {
      groupBy: ["day", "tenant"],
      most: 2,
    });
    const days = Map.groupBy(groups, ({ key }) => key.day);
    const byDay = Object.fromEntries(
      [...days].map(([day, some]) => {
        const sums: Plain = {};
        for (const group of some) {
          for (const [name, sum] of Object.entries(readPlain(group))) {
            sums[name] = (sums[name] ?? 0n) + sum;
          }
        }
        return [JSON.stringify([day]), sums];
      }),
    );
    expect(byDay).toEqual(plainGroups(within, ["day"]));
  }

  const day = FIRST + history.pick([1, 2, 5]);
  const journal = await new ReconciliationStore(env.REPORTS).journalOf(day, [
    "workers-ai",
    "cache",
  ]);
  const charged = journal.reduce((sum, one) => sum + one.microNeurons, 0n);
  const late = journal.reduce((sum, one) => sum + one.settledFromDayBefore, 0n);
  let [expected, before] = [0n, 0n];
  for (const { row } of rows) {
    if (row.kind !== "usage_hour") continue;
    if (hourlyDayOf(row) === day) expected += BigInt(row.row.microNeurons);
    if (hourlyDayOf(row) === day - 1) before += BigInt(row.row.settledAfterMidnight);
  }
  expect([charged, late]).toEqual([expected, before]);
}

describe("closed days", () => {
  it.each([1, 2, 3, 4])(
    "come to what the rows come to, whatever is late, rebuilt, ended or rolled up (%i)",
    async (seed) => {
      const history = new History(seed);
      const seen = { rolled: 0, marked: 0, summed: 0 };
      for (let step = 0; step < 70; step += 1) {
        const today = FIRST + 1 + Math.min(DAYS - 1, Math.floor(step / 6));
        const open = Math.min(today + 1, FIRST + DAYS);
        for (let more = 0; more < 3; more += 1) await history.write(open);
        if (history.chance(8)) await history.rebuild();
        if (history.chance(5)) await history.cutRebuild();
        if (history.chance(3)) await history.end();
        await history.settle(history.pick([0, 2, 6]), today + 1);
        if (step % 5 === 4) await expectExact(history);
        const { rolledBefore, oldestMark } = await readUpkeep(env.REPORTS);
        if (rolledBefore > FIRST) seen.rolled += 1;
        if (oldestMark !== null) seen.marked += 1;
        seen.summed += await hoursSummed();
      }
      // The history has shown what it is for.
      expect(seen.rolled).toBeGreaterThan(5);
      expect(seen.marked).toBeGreaterThan(5);
      expect(seen.summed).toBeGreaterThan(50);
      while ((await addUpTenants(env.REPORTS, 9)) || (await addUpADay(env.REPORTS)));
      expect((await readUpkeep(env.REPORTS)).oldestMark).toBeNull();
      await expectExact(history);
    },
  );

  it.each([
    ["cleared", clearRows],
    ["ended", (database: D1Database, owner: Owner) => endRows(database, owner, 1)],
  ] as const)(
    "hold nothing of a life whose rows were %s, before they are added up",
    async (_, go) => {
      const owners = ["acme", "zenith"].map((tenant) => ({ tenant, generation: 1 }));
      const hours = owners.flatMap((owner) =>
        [1, 30].map((at) => ({ ...owner, hour: FIRST * 24 + at })),
      );
      await seedCallHours(hours.map((at) => ({ ...A_CALL_HOUR, ...at })));
      await seedUsageHours(hours.map((at) => ({ ...A_USAGE_HOUR, ...at, microNeurons: 3 })));
      while (await closeADay(env.REPORTS, FIRST + 2));
      while (await addUpTenants(env.REPORTS, 50));
      while (await addUpADay(env.REPORTS));
      // One of the two days has no hours any more.
      await rollDays(env.REPORTS, FIRST + 1);
      await go(env.REPORTS, owners[0] ?? expect.fail("there is one"));
      const { calls, engines } = await readTotals(env.REPORTS, ALL);
      expect([calls.calls, engines.microNeurons]).toEqual([2, 6n]);
      const page = { groupBy: ["tenant"] as const, after: null, limit: 9 };
      const { groups } = await readGroups(env.REPORTS, ALL, page);
      expect(groups.map(({ key }) => key.tenant)).toEqual(["zenith"]);
    },
  );

  it("know every key that rows can be grouped by", () => {
    expect(new Set(GROUPINGS.flat())).toEqual(
      // Hours, users and keys have tables of their own, the last in the tenant's object alone.
      new Set(GROUP_KEYS.filter((key) => !["hour", "user", "key"].includes(key))),
    );
  });

  it("are read from sums: a month costs some rows a day, however many tenants it had", async () => {
    const month = { ...ALL, to: FIRST + 2 };
    const seed = async (count: number): Promise<void> => {
      const owned = Array.from({ length: count }, (_, at) => ({
        tenant: `t-${at}`,
        generation: 1,
      }));
      const hours = owned.flatMap((owner) =>
        [3, 30].map((at) => ({ ...owner, hour: FIRST * 24 + at })),
      );
      await seedCallHours(hours.map((at) => ({ ...A_CALL_HOUR, ...at })));
      await seedUsageHours(hours.map((at) => ({ ...A_USAGE_HOUR, ...at })));
    };
    await seed(120);
    const live = (await readTotals(env.REPORTS, month)).rowsRead;
    while (await closeADay(env.REPORTS, FIRST + 2));
    while (await addUpTenants(env.REPORTS, 50));
    while (await addUpADay(env.REPORTS));
    const closed = await readTotals(env.REPORTS, month);
    expect(closed.calls.calls).toBe(240);
    expect(live).toBeGreaterThan(700);
    expect(closed.rowsRead).toBeLessThan(120);
    // A late row of one tenant: its hours are read, and its day's other tenants' days.
    await writeRows(
      env.REPORTS,
      [
        {
          tenant: "t-7",
          generation: 1,
          rows: [
            {
              kind: "call_hour",
              row: { ...A_CALL_HOUR, hour: FIRST * 24 + 3, calls: 5, sequence: 9 },
            },
          ],
        },
      ],
      { nowMs: 1, rolled: 0 },
    );
    const marked = await readTotals(env.REPORTS, month);
    expect(marked.calls.calls).toBe(244);
    expect(marked.rowsRead).toBeLessThan(live);
  });
});
