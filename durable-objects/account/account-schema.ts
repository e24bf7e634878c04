import type { Migration } from "../database.ts";
import { CHECK_TABLES } from "./checks/check-schema.ts";
import { REPORT_END_TABLES } from "./tenants/report-end-schema.ts";
import { DELIVERY_RATES, MESSAGE_SCHEDULES, OUTBOX_TABLES } from "../outbox/outbox-schema.ts";
import {
  DAY_SUMS,
  DENIED_TENANTS,
  POOL_TABLES,
  PROMISE_FLOORS,
  PROMISE_KINDS,
  RATE_BOUNDS,
  SUSPENDED_TENANTS,
} from "./pool/pool-schema.ts";

// The tables of the one `Account` object; `docs/storage.md` describes them. Append migrations,
// never edit a released one.

export const ACCOUNT_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      // A row stays after a deletion: it is the tombstone by which the next generation of an id
      // continues its day and refuses the keys and holds of the earlier one.
      `CREATE TABLE tenants (
        id TEXT PRIMARY KEY,
        generation INTEGER NOT NULL CHECK (generation >= 1),
        state TEXT NOT NULL CHECK (state IN ('active', 'deleting', 'deleted')),
        carried_day INTEGER NOT NULL,
        carried INTEGER NOT NULL CHECK (carried >= 0),
        created_at_ms INTEGER NOT NULL,
        deleted_at_ms INTEGER
      ) STRICT, WITHOUT ROWID`,
      // Daily totals of deleted tenants, without persons or content: statements still add up.
      `CREATE TABLE closed_periods (
        tenant TEXT NOT NULL,
        generation INTEGER NOT NULL,
        day INTEGER NOT NULL,
        quota INTEGER NOT NULL CHECK (quota >= 0),
        granted INTEGER NOT NULL CHECK (granted >= 0),
        overage INTEGER NOT NULL CHECK (overage >= 0),
        totals TEXT NOT NULL,
        PRIMARY KEY (tenant, generation, day)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE audit (
        id TEXT PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        tenant TEXT,
        request_id TEXT NOT NULL,
        detail TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: "file_sweeps",
    statements: [
      // Files of ended generations that are still to be erased. The last look for them comes when no
      // call of that generation can write one any more.
      `CREATE TABLE file_sweeps (
        tenant TEXT NOT NULL,
        generation INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL,
        PRIMARY KEY (tenant, generation)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  { name: "outbox", statements: OUTBOX_TABLES },
  { name: "report_ends", statements: REPORT_END_TABLES },
  { name: "pool", statements: POOL_TABLES },
  { name: "delivery_rates", statements: DELIVERY_RATES },
  {
    name: "deletions",
    // For the setting of the alarm, without reading all tenants.
    statements: ["CREATE INDEX tenants_deleting ON tenants (id) WHERE state = 'deleting'"],
  },
  {
    name: "account_indexes",
    // Look-ups read few rows, however many tenants there are: two of them set the alarm.
    statements: [
      "DROP INDEX tenants_deleting",
      "CREATE INDEX tenants_state ON tenants (state)",
      "CREATE INDEX file_sweeps_due ON file_sweeps (due_at_ms)",
      "CREATE INDEX report_ends_due ON report_ends (due_at_ms)",
      "CREATE INDEX audit_tenant ON audit (tenant, id)",
    ],
  },
  { name: "denied_tenants", statements: DENIED_TENANTS },
  { name: "message_schedules", statements: MESSAGE_SCHEDULES },
  { name: "suspended_tenants", statements: SUSPENDED_TENANTS },
  { name: "checks", statements: CHECK_TABLES },
  { name: "promise_kinds", statements: [PROMISE_KINDS] },
  { name: "rate_bounds", statements: RATE_BOUNDS },
  { name: "promise_floors", statements: [PROMISE_FLOORS] },
  { name: "day_sums", statements: [DAY_SUMS] },
];
