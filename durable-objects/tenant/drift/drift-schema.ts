import type { Feature } from "../../database.ts";

/** Sums over the texts of a day that were drawn for the judge, by the thresholds that they were under. */
const DRIFT_TABLE = `CREATE TABLE cascade_drift (
    policy_name TEXT NOT NULL,
    rules INTEGER NOT NULL,
    day INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (policy_name, rules, day)
  ) STRICT, WITHOUT ROWID`;

export const DRIFT: Feature = {
  name: "cascade_drift",
  migrations: [{ name: "cascade_drift", statements: [DRIFT_TABLE] }],
  isReleased: false,
};
