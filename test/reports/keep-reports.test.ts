import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startOf } from "../../src/domain/ledger/period.ts";
import worker from "../../src/index.ts";
import { readUpkeep } from "../../src/reports/upkeep-store.ts";
import { keepReports } from "../../src/reports/keep-reports.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { readTotals } from "../../src/reports/usage-store.ts";
import { cleanUp, DAY, DAY_MS, HOUR, stopClock } from "../durable-objects/a-tenant.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  seedCallHours,
  seedUsageHours,
  seedUserDays,
} from "./seed-rows.ts";

// What the schedule does for the reports: days are added up, old hours go, and so does what is past its
// retention; in bounded steps, and on from where the run before it stopped.

const NOW = startOf(DAY) + 2 * HOUR;
const THIS_HOUR = NOW / HOUR;
const whose = { tenant: "acme", generation: 1 };
const A_USER_DAY = { ...whose, slot: 1, userId: "u_1", calls: 1, microNeurons: 1, sequence: 1 };
const ENOUGH = 800;

beforeEach(async () => {
  stopClock(NOW);
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

const valuesIn = async (table: string, column: string): Promise<unknown[]> => {
  const sql = `SELECT DISTINCT ${column} AS value FROM ${table} ORDER BY 1`;
  return (await env.REPORTS.prepare(sql).all()).results.map(({ value }) => value);
};

const countIn = async (table: string): Promise<unknown> =>
  (await env.REPORTS.prepare(`SELECT COUNT(*) AS rows FROM ${table}`).first())?.["rows"];

const run = async (cron = "0 2 * * *"): Promise<void> => {
  await worker.scheduled(createScheduledController({ scheduledTime: NOW, cron }), env);
};

const withReports = (REPORTS: unknown) => ({ ...env, REPORTS }) as unknown as Env;

async function seedHours(hours: readonly number[]): Promise<void> {
  await seedUsageHours(hours.map((hour) => ({ ...whose, ...A_USAGE_HOUR, hour, microNeurons: 7 })));
  await seedCallHours(hours.map((hour) => ({ ...whose, ...A_CALL_HOUR, hour, quota: 7 })));
}

/** Calls of so many tenants on a day. */
const seedTenants = (count: number, day: number) =>
  env.REPORTS.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
      INSERT INTO call_hours SELECT 't-' || i, 1, ?2, 1, 1, 0, 0, 0, 7, 0, 0, '{}', 0, '{}', '{}', 0, 1, '{}', '{}'
      FROM n`,
  )
    .bind(count, day * 24)
    .run();

const totals = () => readTotals(env.REPORTS, { from: DAY - 2, to: DAY, tenant: null });

describe("the keeping of the reports", () => {
  it("keeps hours for 35 days, days for 400 and users for 92, by either trigger", async () => {
    const oldest = DAY - 400;
    await seedHours([
      oldest * 24 - 1,
      oldest * 24,
      (DAY - 36) * 24 + 5,
      (DAY - 35) * 24,
      THIS_HOUR,
    ]);
    const days = [DAY - 93, DAY - 92, DAY];
    await seedUserDays(days.map((day) => ({ ...A_USER_DAY, day })));
    await env.REPORTS.prepare("INSERT INTO ended_lives VALUES ('a', 1, ?), ('b', 1, ?)")
      .bind(NOW - 30 * DAY_MS - 1, NOW - 30 * DAY_MS)
      .run();
    // The free plan asks little in a run.
    for (const cron of Array.from({ length: 6 }, () => ["0 2 * * *", "30 * * * *"]).flat()) {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      await run(cron);
    }
    for (const table of ["usage_hours", "call_hours"]) {
      // oxlint-disable-next-line no-await-in-loop -- one table after the other
      expect(await valuesIn(table, "hour")).toEqual([(DAY - 35) * 24, THIS_HOUR]);
    }
    for (const table of ["usage_days", "call_days", "usage_sums", "call_sums"]) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await valuesIn(table, "day")).toEqual([oldest, DAY - 36, DAY - 35]);
    }
    expect(await valuesIn("user_days", "day")).toEqual([DAY - 92, DAY]);
    expect(await valuesIn("ended_lives", "tenant")).toEqual(["b"]);
    const { calls, engines } = await readTotals(env.REPORTS, {
      from: oldest,
      to: DAY + 1,
      tenant: null,
    });
    expect([calls.quota, engines.microNeurons]).toEqual([28n, 28n]);
  });

  it("says where it stands, in the log and in the database", async () => {
    await seedHours([(DAY - 2) * 24, THIS_HOUR]);
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    // Of today and yesterday there are 25 hours to add up, some in a run.
    for (let at = 0; at < 6; at += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      await run("30 * * * *");
    }
    const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as object);
    expect(await readUpkeep(env.REPORTS)).toEqual({
      closedBefore: DAY,
      rolledBefore: DAY - 35,
      isPurgeBehind: false,
      lastRunAtMs: NOW,
      oldestMark: null,
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ event: "reports_kept", done: true, purge_behind: false }),
    );
  });

  it("adds up some hundred tenants in a step, and goes on where the run before it stopped", async () => {
    await seedTenants(1300, DAY - 2);
    const first = await keepReports(env, NOW, 32);
    expect(first).toMatchObject({ isDone: false, oldestMark: DAY - 2 });
    expect(await countIn("call_days")).toBeLessThan(1300);
    expect((await totals()).calls.quota).toBe(9100n);
    let runs = 1;
    // oxlint-disable-next-line no-await-in-loop -- one run after the other
    while ((await keepReports(env, NOW, 32))?.isDone === false) runs += 1;
    expect(runs).toBeGreaterThan(1);
    expect(await countIn("call_days")).toBe(1300);
    expect(await totals()).toMatchObject({ calls: { quota: 9100n } });
    expect((await totals()).rowsRead).toBeLessThan(100);
  });

  it("lets no hour go whose day is not added up", async () => {
    await seedTenants(1300, DAY - 50);
    const first = await keepReports(env, NOW, 32);
    expect(first?.rolledBefore).toBeLessThanOrEqual(DAY - 50);
    expect(await countIn("call_hours")).toBe(1300);
    await keepReports(env, NOW, ENOUGH);
    expect([await countIn("call_hours"), await countIn("call_days")]).toEqual([0, 1300]);
  });

  it("purges on while there is more, at most so many rows in a step", async () => {
    await env.REPORTS.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 13000)
        INSERT INTO user_days SELECT 'acme', 1, i % 90, i, 'u', 1, 1, 1 FROM n`,
    ).run();
    expect(await keepReports(env, NOW, 32)).toMatchObject({ isDone: false, isPurgeBehind: true });
    const left = Number(await countIn("user_days"));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(13_000);
    expect(await keepReports(env, NOW, ENOUGH)).toMatchObject({
      isDone: true,
      isPurgeBehind: false,
    });
    expect(await countIn("user_days")).toBe(0);
  });

  it("asks the database no more than it may", async () => {
    await seedTenants(1300, DAY - 2);
    let asked = 0;
    const counting = new Proxy(env.REPORTS, {
      get(database, name) {
        if (name === "batch") {
          return (statements: D1PreparedStatement[]) => {
            asked += statements.length;
            return database.batch(statements);
          };
        }
        if (name !== "prepare") return Reflect.get(database, name) as unknown;
        return (sql: string) => {
          const isAlone = /^\s*(SELECT|UPDATE upkeep SET (rolled|last))/.test(sql);
          if (isAlone) asked += 1;
          return database.prepare(sql);
        };
      },
    });
    await keepReports(withReports(counting), NOW, 32);
    expect(asked).toBeGreaterThan(20);
    // Two more look at the schema, once for each start.
    expect(asked).toBeLessThanOrEqual(34);
  });

  it("says so where the database does not answer, and that there is none", async () => {
    const broken = {
      prepare: () => {
        throw new Error("D1_ERROR");
      },
    };
    await expect(() => keepReports(withReports(broken), NOW, ENOUGH)).rejects.toThrow("D1_ERROR");
    expect(await keepReports(withReports(undefined), NOW, ENOUGH)).toBeNull();
  });
});
