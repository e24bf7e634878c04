import REPORTS from "../../migrations/0001_reports.sql";
import RECONCILIATION from "../../migrations/0002_reconciliation.sql";
import FRESHNESS from "../../migrations/0003_freshness.sql";
import CLOSED_DAYS from "../../migrations/0004_closed_days.sql";
import VERDICT_COUNTS from "../../migrations/0005_verdict_counts.sql";
import HOUR_SUMS from "../../migrations/0006_hour_sums.sql";
import RESOURCE_DAYS from "../../migrations/0008_resource_days.sql";
import WORK from "../../migrations/0009_work.sql";
import YESTERDAYS_HOURS from "../../migrations/0010_yesterdays_hours.sql";

// The schema of the database of reports, as wrangler would apply it. Append, never edit.

export interface ReportMigration {
  /** As wrangler names it in `d1_migrations`: the file. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** Our files have comments on lines of their own, and no semicolon but the one that ends a statement. */
const statementsOf = (sql: string): readonly string[] =>
  sql
    .replace(/^\s*--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");

export const REPORT_MIGRATIONS: readonly ReportMigration[] = [
  { name: "0001_reports.sql", statements: statementsOf(REPORTS) },
  { name: "0002_reconciliation.sql", statements: statementsOf(RECONCILIATION) },
  { name: "0003_freshness.sql", statements: statementsOf(FRESHNESS) },
  { name: "0004_closed_days.sql", statements: statementsOf(CLOSED_DAYS) },
  { name: "0005_verdict_counts.sql", statements: statementsOf(VERDICT_COUNTS) },
  { name: "0006_hour_sums.sql", statements: statementsOf(HOUR_SUMS) },
  { name: "0008_resource_days.sql", statements: statementsOf(RESOURCE_DAYS) },
  { name: "0009_work.sql", statements: statementsOf(WORK) },
  { name: "0010_yesterdays_hours.sql", statements: statementsOf(YESTERDAYS_HOURS) },
];
