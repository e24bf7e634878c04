import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { UsageQuery } from "../../durable-objects/tenant/usage/usage.ts";
import type { GroupKey } from "../../src/domain/usage/usage-report.ts";
import { FakeQueue } from "../reports/fake-queue.ts";
import {
  aTenant,
  type ATenant,
  cleanUp,
  DAY,
  expectKind,
  inTenant,
  PLATFORM,
  SECOND,
  stopClock,
} from "./a-tenant.ts";

// A month of usage reads the month's sums, however many calls they stand for. `npm run bench --
// --only=usage` shows the same with a million lines, and how long it takes.

beforeEach(() => stopClock());
afterEach(cleanUp);

const DAYS = 30;

async function foldNow(tenant: ATenant): Promise<void> {
  vi.setSystemTime(Date.now() + 5 * SECOND);
  await new FakeQueue().ring(tenant.id);
}

/** Lines like the one that there is, over the days before. */
const addLines = (tenant: ATenant, count: number): Promise<unknown> =>
  inTenant(tenant.id, ({ storage: { sql } }) => {
    const columns = sql
      .exec<{ name: string }>("SELECT name FROM pragma_table_info('journal')")
      .toArray()
      .map(({ name }) => name);
    const values = columns.map(
      (name) =>
        ({
          id: "printf('jnl_%026d', n)",
          day: `day - 1 - n % ${DAYS}`,
        })[name] ?? name,
    );
    sql.exec(
      `WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${count})
        INSERT INTO journal (${columns.join(", ")})
          SELECT ${values.join(", ")} FROM counted, (SELECT * FROM journal LIMIT 1)`,
    );
  });

/** Each of the days before has what this one has. */
const addDays = (tenant: ATenant, first: number, count: number): Promise<unknown> =>
  inTenant(tenant.id, ({ storage: { sql } }) =>
    sql.exec(
      `WITH RECURSIVE days(n) AS (SELECT ${first} UNION ALL SELECT n + 1 FROM days
          WHERE n < ${first + count - 1})
        INSERT INTO periods (day, quota, granted, overage, posted, totals)
          SELECT n, quota, granted, overage, posted, totals FROM days, periods
            WHERE day = ${DAY}`,
    ),
  );

/** Each hour of days has what the one hour has that was folded. */
const addHours = (tenant: ATenant, first: number, count: number): Promise<unknown> =>
  inTenant(tenant.id, ({ storage: { sql } }) =>
    sql.exec(
      `WITH RECURSIVE hours(n) AS (SELECT ${first * 24} UNION ALL SELECT n + 1 FROM hours
          WHERE n < ${(first + count) * 24 - 1})
        INSERT INTO report_rows (kind, key, sequence, waiting, body)
          SELECT kind, printf('%07d', n) || substr(key, 8), sequence, 0, body FROM hours,
            (SELECT * FROM report_rows
              WHERE kind IN ('usage_hour', 'call_hour') AND key >= printf('%07d', ${DAY * 24}))`,
    ),
  );

/** What a report reads, as the platform bills it. */
const rowsRead = (tenant: ATenant, groupBy: readonly GroupKey[]): Promise<number> =>
  inTenant(tenant.id, ({ storage }, instance) => {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    let read = 0;
    const counting: typeof sql.exec = (statement, ...values) => {
      const cursor = exec<never>(statement, ...values);
      const rows = cursor.toArray();
      read += cursor.rowsRead;
      return { toArray: () => rows } as never;
    };
    Object.defineProperty(sql, "exec", { value: counting, configurable: true });
    const ask: UsageQuery = { from: DAY - DAYS, to: DAY, groupBy, skip: 0, limit: 200 };
    const object = instance as unknown as { readUsage(caller: object, ask: UsageQuery): object };
    expectKind(object.readUsage(PLATFORM, ask) as { kind: string }, "usage");
    Object.defineProperty(sql, "exec", { value: exec, configurable: true });
    return read;
  });

describe("a month of a tenant's usage", () => {
  it.each<[string, readonly GroupKey[], hours: number]>([
    ["days and models", ["day", "model"], 2 * 24 * DAYS],
    ["days", ["day"], 24 * DAYS],
    ["hours", ["hour"], 2 * 24 * DAYS],
    ["users", ["user"], 24 * DAYS],
  ])("by %s reads no more rows with a long journal behind it", async (_name, groupBy, hours) => {
    const tenant = await aTenant();
    await tenant.settle(await tenant.hold());
    await foldNow(tenant);
    await addHours(tenant, DAY - DAYS, DAYS);
    await addDays(tenant, DAY - DAYS, DAYS);
    const short = await rowsRead(tenant, groupBy);
    // The days of the report and of the month to date, the hours, and what every request reads.
    expect(short).toBeGreaterThanOrEqual(DAYS + hours);
    expect(short).toBeLessThanOrEqual(3 * DAYS + hours);
    await addLines(tenant, 20_000);
    expect(await rowsRead(tenant, groupBy)).toBe(short);
    await addDays(tenant, DAY - 400, 300);
    await addHours(tenant, DAY - 131, 100);
    expect(await rowsRead(tenant, groupBy)).toBe(short);
  });
});
