import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { firstHourOf, type ReportRow } from "../../src/domain/usage/report-rows.ts";
import { keepReports } from "../../src/reports/keep-reports.ts";
import { REPORT_MIGRATIONS } from "../../src/reports/migrations.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { writeRows } from "../../src/reports/reports-store.ts";
import { rolledBefore } from "../../src/reports/upkeep-store.ts";
import { readGroups, readTotals } from "../../src/reports/usage-store.ts";
import { DAY_MS } from "../durable-objects/a-tenant.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  seedCallHours,
  seedUsageHours,
  seedUserDays,
} from "./seed-rows.ts";

// A database as the release before closed days wrote it, opened by this one: nothing of it is lost or
// counted twice, before, while and after its days are added up.

afterEach(() => reset());

const TODAY = 20_800;
const NOW = TODAY * DAY_MS + DAY_MS / 2;
const RANGE = { from: TODAY - 399, to: TODAY + 1, tenant: null };
const AGES = [0, 1, 2, 34, 35, 36, 90, 390];

const of = (table: string): Promise<Record<string, unknown>[]> =>
  env.REPORTS.prepare(`SELECT * FROM ${table}`)
    .all()
    .then(({ results }) => results);

describe("a database of the release before", () => {
  it("holds what it held, is added up in steps, and takes late rows all the while", async () => {
    const released = REPORT_MIGRATIONS.slice(0, 3);
    expect(released.map(({ name }) => name)).toEqual([
      "0001_reports.sql",
      "0002_reconciliation.sql",
      "0003_freshness.sql",
    ]);
    await migrateReports(env.REPORTS, released);
    const owner = { tenant: "acme", generation: 2 };
    const hours = AGES.flatMap((age) => [1, 7].map((at) => firstHourOf(TODAY - age) + at));
    await seedUsageHours(
      hours.map((hour) => ({ ...owner, ...A_USAGE_HOUR, hour, microNeurons: 3 })),
    );
    await seedCallHours(hours.map((hour) => ({ ...owner, ...A_CALL_HOUR, hour, quota: 3 })));
    const user = { ...owner, slot: 1, userId: "u", calls: 1, microNeurons: 1, sequence: 1 };
    await seedUserDays([{ ...user, day: TODAY }]);
    await env.REPORTS.prepare("INSERT INTO freshness VALUES (1, 5)").run();

    await migrateReports(env.REPORTS);
    await migrateReports(env.REPORTS);
    let expected = BigInt(hours.length * 3);
    let runs = 0;
    const sums = async () => {
      const { calls, engines } = await readTotals(env.REPORTS, RANGE);
      expect([calls.quota, engines.microNeurons]).toEqual([expected, expected]);
      const page = { groupBy: ["tenant", "day"] as const, after: null, limit: 200 };
      const { groups } = await readGroups(env.REPORTS, RANGE, page);
      expect(groups).toHaveLength(AGES.length);
      const added = groups.reduce((sum, group) => sum + (group.calls?.quota ?? 0n), 0n);
      expect(added).toBe(expected);
    };
    await sums();
    const late = firstHourOf(TODAY - 2) + 9;
    const rows: ReportRow[] = [
      { kind: "call_hour", row: { ...A_CALL_HOUR, hour: late, quota: 4 } },
      { kind: "usage_hour", row: { ...A_USAGE_HOUR, hour: late, microNeurons: 4 } },
    ];
    for (let isDone = false; !isDone; runs += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      isDone = (await keepReports(env, NOW, 32))?.isDone ?? false;
      if (runs === 6) {
        // oxlint-disable-next-line no-await-in-loop -- as above
        await writeRows(env.REPORTS, [{ ...owner, rows }], {
          nowMs: NOW,
          // oxlint-disable-next-line no-await-in-loop -- as above
          rolled: await rolledBefore(env.REPORTS),
        });
        expected += 4n;
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      await sums();
    }
    expect(runs).toBeGreaterThan(6);
    const kept = new Set((await of("call_hours")).map(({ hour }) => Math.floor(Number(hour) / 24)));
    expect([...kept].toSorted((a, b) => a - b)).toEqual([
      TODAY - 35,
      TODAY - 34,
      TODAY - 2,
      TODAY - 1,
      TODAY,
    ]);
    expect(await of("call_sums")).toHaveLength(AGES.length - 1);
    expect([await of("user_days"), await of("freshness")]).toMatchObject([
      [{ user_id: "u" }],
      [{ only_row: 1 }],
    ]);
  });
});
