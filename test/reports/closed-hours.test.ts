import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../../src/domain/ledger/period.ts";
import type { GroupKey } from "../../src/domain/usage/usage-report.ts";
import { closeADay } from "../../src/reports/closed-days-store.ts";
import { addUpHours, closeHours } from "../../src/reports/closed-hours-store.ts";
import { keepReports } from "../../src/reports/keep-reports.ts";
import { readLargest } from "../../src/reports/largest-usage-store.ts";
import { REPORT_MIGRATIONS } from "../../src/reports/migrations.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { clearRows, endRows, writeLastRows, writeRows } from "../../src/reports/reports-store.ts";
import { readGroups, readTotals } from "../../src/reports/usage-store.ts";
import { A_CALL_HOUR, A_USAGE_HOUR, seedCallHours, seedUsageHours } from "./seed-rows.ts";

// Of a day that is not over yet, the hours that are over are read from sums over all tenants, and every
// figure is the same as without them.

const DAY = 20_777;
const HOUR_MS = 3_600_000;
const NOON = DAY * 24 + 12;
const TENANTS = 60;
const ALL = { from: DAY - 1, to: DAY + 1, tenant: null };

beforeEach(async () => {
  await migrateReports(env.REPORTS);
  await seed();
});
afterEach(() => reset());

/** Each tenant has calls in six hours of today, the last of them this one. */
async function seed(): Promise<void> {
  const owned = Array.from({ length: TENANTS }, (_, at) => ({
    tenant: `t-${at}`,
    generation: 1,
    at,
  }));
  const hours = owned.flatMap(({ at, ...owner }) =>
    [0, 2, 4, 6, 8, 12].map((of) => ({ ...owner, at, hour: DAY * 24 + of })),
  );
  await seedCallHours(
    hours.map(({ at, ...row }) => ({
      ...A_CALL_HOUR,
      ...row,
      calls: 1 + (at % 5),
      quota: 2 ** 40 + at,
      overage: at,
      overageByRate: { "0.011": at },
      refused: at % 3 === 0 ? { rate_limited: at } : {},
      verdicts: { made: 1, micro_neurons: 2 ** 50 + at },
      work: { documents: 1, document_micro_neurons: 2 ** 50 + at },
      latency: { [at % 7]: 1 + at, 40: 1 },
    })),
  );
  await seedUsageHours(
    hours.map(({ at, ...row }) => ({
      ...A_USAGE_HOUR,
      ...row,
      model: `model-${at % 2}`,
      engine: at % 4 === 0 ? "cache" : "workers-ai",
      task: at % 5 === 0 ? "text_to_image" : "text_generation",
      engineRequests: 1 + at,
      inputTokens: at,
      outputTokens: 2 * at,
      units: { input_token: at, output_token: 2 * at, cached_input_token: at % 3 },
      microNeurons: 2 ** 41 + at,
    })),
  );
}

/** Days first, as the schedule does it. */
async function close(before: number): Promise<void> {
  while (await closeADay(env.REPORTS, DAY));
  await closeHours(env.REPORTS, before);
}

const closeAndAddUp = async (before: number): Promise<void> => {
  await close(before);
  await addUpHours(env.REPORTS, 100);
};

/** What is read, without how many rows it took. */
async function figures() {
  const { rowsRead, ...totals } = await readTotals(env.REPORTS, ALL);
  const pages = await Promise.all(
    [["day"], ["day", "model"], ["task"], ["tenant"], ["hour"], ["hour", "task"]].map((groupBy) =>
      readGroups(env.REPORTS, ALL, {
        groupBy: groupBy as GroupKey[],
        after: null,
        limit: 100,
      }).then(({ groups }) => groups),
    ),
  );
  return { rowsRead, same: { totals, pages } };
}

const markedHours = async (): Promise<unknown[]> =>
  (await env.REPORTS.prepare("SELECT hour FROM marked_hours").all()).results.map(
    ({ hour }) => Number(hour) - DAY * 24,
  );

const firstSum = () =>
  env.REPORTS.prepare("SELECT MIN(hour) AS hour FROM call_hour_sums").first<number>("hour");

/** The overview's own report. */
const byHour = async () => {
  const { groups, rowsRead } = await readLargest(env.REPORTS, ALL, {
    groupBy: ["hour", "tenant"],
    most: 5,
  });
  return { groups, rowsRead };
};

const late = (hour: number, calls: number) => ({
  kind: "call_hour" as const,
  row: { ...A_CALL_HOUR, hour, calls, sequence: 9 },
});

const written = { nowMs: 1, rolled: DAY - 35 };

describe("hours that are over", () => {
  it("come to the same from sums, which are some rows however many tenants there are", async () => {
    const before = await figures();
    await close(NOON);
    expect((await figures()).same).toEqual(before.same);
    await addUpHours(env.REPORTS, 100);
    const after = await figures();
    expect(after.same).toEqual(before.same);
    // One hour of six is read by tenant.
    expect(after.rowsRead).toBeLessThan(before.rowsRead / 3);
    expect(await markedHours()).toEqual([]);
  });

  it("are marked by a row that comes late, in the transaction that writes it", async () => {
    await closeAndAddUp(NOON);
    const { calls } = await readTotals(env.REPORTS, ALL);
    const owner = { tenant: "t-0", generation: 1 };
    const rows = [late(DAY * 24 + 2, 101), late(NOON, 51)];
    await writeRows(env.REPORTS, [{ ...owner, rows }], written);
    expect(await markedHours()).toEqual([2]);
    expect((await readTotals(env.REPORTS, ALL)).calls.calls).toBe(calls.calls + 150);
    await writeLastRows(env.REPORTS, { tenant: "late", generation: 1 }, [late(DAY * 24 + 4, 7)]);
    expect(await markedHours()).toEqual([2, 4]);
    expect((await readTotals(env.REPORTS, ALL)).calls.calls).toBe(calls.calls + 157);
    await addUpHours(env.REPORTS, 1);
    expect(await markedHours()).toEqual([4]);
    expect((await readTotals(env.REPORTS, ALL)).calls.calls).toBe(calls.calls + 157);
  });

  it.each([
    ["cleared", () => clearRows(env.REPORTS, { tenant: "t-7", generation: 1 })],
    ["ended", () => endRows(env.REPORTS, { tenant: "t-7", generation: 1 }, 1)],
  ])("hold nothing of a life whose rows were %s", async (_, go) => {
    await closeAndAddUp(NOON);
    const { calls, engines } = await readTotals(env.REPORTS, ALL);
    await go();
    expect(await markedHours()).toEqual([0, 2, 4, 6, 8]);
    const left = await readTotals(env.REPORTS, ALL);
    expect(calls.quota - left.calls.quota).toBe(6n * (2n ** 40n + 7n));
    expect(engines.microNeurons - left.engines.microNeurons).toBe(6n * (2n ** 41n + 7n));
  });

  it("are added up by the schedule, some at a time, and go a day after theirs is closed", async () => {
    const nowMs = startOf(DAY) + 12.5 * HOUR_MS;
    const before = await figures();
    // The free plan's run: days first, then as many hours as it may.
    let runs = 0;
    do {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      await keepReports(env, nowMs, 32);
      runs += 1;
      // oxlint-disable-next-line no-await-in-loop -- as above
    } while ((await markedHours()).length > 0 && runs < 9);
    expect(runs).toBeLessThan(9);
    const summed = await figures();
    expect(summed.same).toEqual(before.same);
    expect(summed.rowsRead).toBeLessThan(before.rowsRead / 3);
    await keepReports(env, nowMs + 24 * HOUR_MS, 800);
    expect((await figures()).same).toEqual(before.same);
    expect(await firstSum()).toBe(DAY * 24);
    await seedUsageHours([{ ...A_USAGE_HOUR, tenant: "t-0", generation: 1, hour: (DAY + 1) * 24 }]);
    await keepReports(env, nowMs + 48 * HOUR_MS, 800);
    for (const table of ["usage_hour_sums", "call_hour_sums"]) {
      // oxlint-disable-next-line no-await-in-loop -- one table after the other
      const row = await env.REPORTS.prepare(`SELECT MIN(hour) AS hour FROM ${table}`).first();
      expect(row?.["hour"]).toBeNull();
    }
  });

  it("keep the sums of yesterday, which a report by hour reads", async () => {
    const before = await byHour();
    const nowMs = startOf(DAY) + 25.5 * HOUR_MS;
    await keepReports(env, nowMs, 800);
    const after = await byHour();
    expect(after.groups).toEqual(before.groups);
    // The ranking reads a row a tenant, and the five largest are read by hour.
    expect(after.rowsRead).toBeLessThan(before.rowsRead / 4);
    const rows = [late(DAY * 24 + 2, 101)];
    const owned = [{ tenant: "t-0", generation: 1, rows }];
    await writeRows(env.REPORTS, owned, { nowMs: 1, rolled: DAY - 34 });
    expect(await markedHours()).toEqual([2]);
    const changed = await byHour();
    expect(changed.groups).not.toEqual(before.groups);
    await keepReports(env, nowMs, 800);
    expect(await markedHours()).toEqual([]);
    expect((await byHour()).groups).toEqual(changed.groups);
  });

  it("are added up again where an earlier release has deleted yesterday's", async () => {
    const nowMs = startOf(DAY) + 25.5 * HOUR_MS;
    await keepReports(env, nowMs, 800);
    const { groups } = await byHour();
    for (const table of ["usage_hour_sums", "call_hour_sums", "marked_hours"]) {
      // oxlint-disable-next-line no-await-in-loop -- one table after the other
      await env.REPORTS.prepare(`DELETE FROM ${table}`).run();
    }
    const name = "0010_yesterdays_hours.sql";
    const [statement = ""] = REPORT_MIGRATIONS.find((one) => one.name === name)?.statements ?? [];
    await env.REPORTS.prepare(statement).run();
    expect((await byHour()).groups).toEqual(groups);
    await keepReports(env, nowMs, 800);
    expect(await firstSum()).toBe(DAY * 24);
    expect((await byHour()).groups).toEqual(groups);
  });

  it("wait while days are to be closed", async () => {
    await closeHours(env.REPORTS, NOON);
    expect(await markedHours()).toEqual([]);
    const upkeep = await env.REPORTS.prepare("SELECT summed_before FROM upkeep").first();
    expect(upkeep).toEqual({ summed_before: 0 });
  });
});
