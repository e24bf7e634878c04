import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { REPORT_MIGRATIONS } from "../../src/reports/migrations.ts";
import { openReports } from "../../src/reports/open-reports.ts";
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

  it("is none without a database", async () => {
    const { REPORTS: _, ...others } = env;
    expect(await openReports(others as unknown as Env)).toBeNull();
  });
});
