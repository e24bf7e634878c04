import type { Feature } from "../database.ts";
import { REPORTS_TABLE } from "./platform-event-store.ts";

// The tables of an outbox; `docs/storage.md` describes them.

const WEBHOOK_TABLES: readonly string[] = [
  `CREATE TABLE events (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    subject TEXT,
    decision TEXT,
    data TEXT,
    CHECK (subject IS NOT NULL OR data IS NOT NULL)
  ) STRICT, WITHOUT ROWID`,
  // `cursor`: all events up to it were handed over. What was not delivered at once has a row in
  // `deliveries` that says so. `slot`: the last character of its deliveries' ids.
  `CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    slot INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 31),
    url TEXT NOT NULL,
    description TEXT,
    events TEXT NOT NULL,
    decisions TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    disabled_reason TEXT,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until_ms INTEGER,
    cursor TEXT NOT NULL,
    replay TEXT,
    failing_since_ms INTEGER,
    not_before_ms INTEGER NOT NULL,
    last_try_at_ms INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    CHECK ((enabled = 1) = (disabled_reason IS NULL)),
    CHECK ((old_secret IS NULL) = (old_secret_until_ms IS NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE deliveries (
    webhook_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    first_try_at_ms INTEGER,
    next_try_at_ms INTEGER,
    attempts TEXT NOT NULL,
    PRIMARY KEY (webhook_id, id),
    CHECK ((state = 'pending') = (next_try_at_ms IS NOT NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX deliveries_due ON deliveries (webhook_id, next_try_at_ms)
    WHERE state = 'pending'`,
];

/** Events that are recorded once a day, by the day on which they were. */
const NOTICES_TABLE = `CREATE TABLE told (
    day INTEGER NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (day, type)
  ) STRICT, WITHOUT ROWID`;

export const OUTBOX_TABLES: readonly string[] = [...WEBHOOK_TABLES, NOTICES_TABLE];

/** Later than the first tables. `sent`: what was sent in the last minute, as `delivery-pace.ts` counts it. */
export const DELIVERY_RATES: readonly string[] = [
  "ALTER TABLE webhooks ADD COLUMN sent TEXT NOT NULL DEFAULT '[]'",
  "CREATE INDEX deliveries_failed ON deliveries (webhook_id) WHERE state = 'failed'",
];

/**
 * `ordered`: one event at a time. `outage`: the messages that say that it is down. `ahead`: events
 * after the cursor and up to this one may have a delivery already. `tries`: all that were made of a
 * delivery, of which `attempts` keeps the latest; 0: of an earlier version, which did not count.
 */
export const MESSAGE_SCHEDULES: readonly string[] = [
  "ALTER TABLE webhooks ADD COLUMN ordered INTEGER NOT NULL DEFAULT 0 CHECK (ordered IN (0, 1))",
  "ALTER TABLE webhooks ADD COLUMN outage TEXT NOT NULL DEFAULT '[]'",
  "ALTER TABLE webhooks ADD COLUMN ahead TEXT NOT NULL DEFAULT ''",
  "ALTER TABLE deliveries ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
];

/** Of a tenant. */
export const WEBHOOKS: Feature = {
  name: "webhooks",
  migrations: [
    { name: "webhooks", statements: [...WEBHOOK_TABLES, ...DELIVERY_RATES, ...MESSAGE_SCHEDULES] },
  ],
  isReleased: true,
};

/** What a tenant tells once a day, also where nobody subscribed: the platform may have. */
export const NOTICES: Feature = {
  name: "notices",
  migrations: [{ name: "notices", statements: [NOTICES_TABLE, REPORTS_TABLE] }],
  isReleased: true,
};
