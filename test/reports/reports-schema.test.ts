import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { CALL_FIELDS, ENGINE_FIELDS, USER_FIELDS } from "../../src/domain/usage/usage-sum.ts";
import { REPORT_MIGRATIONS } from "../../src/reports/migrations.ts";
import { openReports } from "../../src/reports/open-reports.ts";
import { columnOf } from "../../src/reports/report-row-columns.ts";
import { migrateReports } from "../../src/reports/reports-schema.ts";

afterEach(() => reset());

const tables = async (): Promise<readonly string[]> => {
  const { results } = await env.REPORTS.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
  ).all<{ name: string }>();
  return results.map(({ name }) => name).filter((name) => !name.startsWith("sqlite_"));
};

const applied = async (): Promise<readonly string[]> => {
  const { results } = await env.REPORTS.prepare("SELECT name FROM d1_migrations ORDER BY id").all<{
    name: string;
  }>();
  return results.map(({ name }) => name);
};

const NAMES = REPORT_MIGRATIONS.map(({ name }) => name);

describe("the schema of the reports", () => {
  it("is made by the first use, and looked at once", async () => {
    expect(await tables()).toEqual([]);
    await migrateReports(env.REPORTS);
    expect(await tables()).toEqual(
      expect.arrayContaining(["usage_hours", "call_hours", "user_days", "moderation_log"]),
    );
    expect(await applied()).toEqual(NAMES);
    await migrateReports(env.REPORTS);
    expect(await applied()).toEqual(NAMES);
  });

  it("is made once where several start at the same time", async () => {
    await Promise.all([1, 2, 3, 4].map(() => migrateReports(env.REPORTS)));
    expect(await applied()).toEqual(NAMES);
  });

  it("applies what was added later, and nothing twice", async () => {
    await migrateReports(env.REPORTS);
    const more = [
      ...REPORT_MIGRATIONS,
      { name: "9999_more.sql", statements: ["CREATE TABLE more (id INTEGER) STRICT"] },
    ];
    await migrateReports(env.REPORTS, more);
    expect(await tables()).toContain("more");
    expect(await applied()).toEqual([...NAMES, "9999_more.sql"]);
  });

  it("is whole or not there: a migration that fails leaves nothing", async () => {
    const broken = [{ name: "1.sql", statements: ["CREATE TABLE half (id INTEGER)", "nonsense"] }];
    await expect(() => migrateReports(env.REPORTS, broken)).rejects.toThrow("nonsense");
    expect(await tables()).toEqual([]);
  });

  it.each([
    ...["usage_hours", "usage_days", "usage_sums"].map((table) => [table, ENGINE_FIELDS] as const),
    ...["call_hours", "call_days", "call_sums", "call_hour_sums"].map(
      (table) => [table, CALL_FIELDS] as const,
    ),
    ["user_days", USER_FIELDS] as const,
  ])("has in %s a column for each field that usage is counted in", async (table, fields) => {
    await migrateReports(env.REPORTS);
    const { results } = await env.REPORTS.prepare(
      `SELECT name FROM pragma_table_info('${table}')`,
    ).all<{ name: string }>();
    const names = Object.keys(fields).map(columnOf);
    expect(results.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it("is none without a database", async () => {
    const { REPORTS: _, ...others } = env;
    expect(await openReports(others as unknown as Env)).toBeNull();
  });
});
