import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOf } from "../../src/domain/period.ts";
import worker from "../../src/index.ts";
import { purgeReports } from "../../src/reports/purge-reports.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";
import { cleanUp, DAY, DAY_MS, HOUR, stopClock } from "../durable-objects/a-tenant.ts";
import {
  A_CALL_HOUR,
  A_USAGE_HOUR,
  seedCallHours,
  seedUsageHours,
  seedUserDays,
} from "./seed-rows.ts";

// What is past its retention goes from the reports, in bounded steps, by the daily schedule.

const NOW = startOf(DAY) + 2 * HOUR;
const THIS_HOUR = NOW / HOUR;
const whose = { tenant: "acme", life: 1 };
const A_USER_DAY = { ...whose, slot: 1, userId: "u_1", calls: 1, microNeurons: 1, sequence: 1 };

beforeEach(async () => {
  stopClock(NOW);
  await migrateReports(env.REPORTS);
});
afterEach(cleanUp);

const hoursIn = async (table: string): Promise<unknown[]> =>
  (await env.REPORTS.prepare(`SELECT hour FROM ${table} ORDER BY hour`).all()).results.map(
    ({ hour }) => hour,
  );

const run = async (): Promise<void> => {
  const controller = createScheduledController({ scheduledTime: NOW, cron: "0 2 * * *" });
  await worker.scheduled(controller, env);
};

const withReports = (REPORTS: unknown) => ({ ...env, REPORTS }) as unknown as Env;

describe("the purge of the reports", () => {
  it("keeps 400 days of hours and 92 of users, by the daily schedule", async () => {
    const oldest = THIS_HOUR - 400 * 24;
    const hours = [oldest - 1, oldest, THIS_HOUR];
    await seedUsageHours(hours.map((hour) => ({ ...whose, ...A_USAGE_HOUR, hour })));
    await seedCallHours(hours.map((hour) => ({ ...whose, ...A_CALL_HOUR, hour })));
    const days = [DAY - 93, DAY - 92, DAY];
    await seedUserDays(days.map((day) => ({ ...A_USER_DAY, day })));
    await env.REPORTS.prepare("INSERT INTO ended_lives VALUES ('a', 1, ?), ('b', 1, ?)")
      .bind(NOW - 30 * DAY_MS - 1, NOW - 30 * DAY_MS)
      .run();

    await run();

    expect(await hoursIn("usage_hours")).toEqual([oldest, THIS_HOUR]);
    expect(await hoursIn("call_hours")).toEqual([oldest, THIS_HOUR]);
    const { results } = await env.REPORTS.prepare("SELECT day FROM user_days ORDER BY day").all();
    expect(results.map(({ day }) => day)).toEqual([DAY - 92, DAY]);
    const ended = await env.REPORTS.prepare("SELECT tenant FROM ended_lives").all();
    expect(ended.results).toEqual([{ tenant: "b" }]);
  });

  it("goes in steps, and leaves to the next one what is too much", async () => {
    await seedCallHours([{ ...whose, ...A_CALL_HOUR }]);
    await env.REPORTS.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9500)
        INSERT INTO call_hours SELECT tenant, life, i, calls, posted, voided, expired, failed, quota,
          granted, overage, overage_by_rate, adjusted, refused, latency, settled_after_midnight,
          sequence FROM n, (SELECT * FROM call_hours LIMIT 1)`,
    ).run();
    expect(await purgeReports(env, NOW)).toBe(false);
    expect(await hoursIn("call_hours")).toHaveLength(1501);
    expect(await purgeReports(env, NOW)).toBe(true);
    expect(await hoursIn("call_hours")).toEqual([]);
  });

  it("says so where the database does not answer, and that there is none", async () => {
    const broken = {
      prepare: () => {
        throw new Error("D1_ERROR");
      },
    };
    await expect(() => purgeReports(withReports(broken), NOW)).rejects.toThrow("D1_ERROR");
    expect(await purgeReports(withReports(undefined), NOW)).toBe(false);
  });
});
