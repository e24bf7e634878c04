import type { Migration } from "../database.ts";
import { ADJUSTMENT_TABLES } from "./adjustment-schema.ts";
import { ARCHIVE_TABLES } from "./archive-schema.ts";
import { BATCH_TABLES } from "./batch-schema.ts";
import { GRANT_TABLES } from "./grant-schema.ts";
import { CLAIM_INDEX, PEOPLE_TABLES, URGENT_INDEX } from "./people-schema.ts";
import { DELIVERY_RATES, MESSAGE_SCHEDULES, OUTBOX_TABLES } from "../outbox/outbox-schema.ts";
import { REPORTS_TABLE } from "../outbox/report-store.ts";
import { FEED_TABLES } from "./feed-schema.ts";
import { ERASURE_TABLES } from "./erasure-schema.ts";
import { SCORE_KEYS } from "./key-schema.ts";
import { LEASE_REFUSALS, LEASE_TABLES } from "./lease-schema.ts";
import { REUSE_TABLES, VERDICT_COUNTS } from "./reuse-schema.ts";
import { SPELL_OUT_OVERAGE } from "./settings-migration.ts";

// The tables of a tenant's object; `docs/storage.md` describes them. Append migrations, never edit
// a released one. WITHOUT ROWID keeps a row with a text key at one written row, not two.

export const TENANT_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      `CREATE TABLE tenant (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        id TEXT NOT NULL,
        generation INTEGER NOT NULL CHECK (generation >= 1),
        settings TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        content_secret TEXT NOT NULL,
        carried_day INTEGER NOT NULL,
        carried INTEGER NOT NULL CHECK (carried >= 0),
        closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        secret_hash TEXT NOT NULL UNIQUE,
        name TEXT,
        role TEXT NOT NULL CHECK (role IN ('call', 'review', 'manage')),
        prefix TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER,
        ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
        last_used_day INTEGER
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE policies (
        name TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        body TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (name, version)
      ) STRICT, WITHOUT ROWID`,
      // What every admission changes, in one row: the clock that never goes back, the rate windows,
      // where the scan for open holds starts, and the state of the account's own allocation.
      `CREATE TABLE meter (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        clock_ms INTEGER NOT NULL,
        windows TEXT NOT NULL,
        oldest_hold TEXT,
        closed_day INTEGER,
        closed_at_ms INTEGER,
        probe_at_ms INTEGER
      ) STRICT`,
      `CREATE TABLE periods (
        day INTEGER PRIMARY KEY,
        quota INTEGER NOT NULL CHECK (quota >= 0),
        granted INTEGER NOT NULL CHECK (granted >= 0),
        overage INTEGER NOT NULL CHECK (overage >= 0),
        posted INTEGER NOT NULL CHECK (posted = quota + granted + overage),
        totals TEXT NOT NULL
      ) STRICT`,
      // A hold and, once it ended, its line: the same row. While pending, the items are the plan.
      `CREATE TABLE journal (
        id TEXT PRIMARY KEY,
        day INTEGER NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'posted', 'voided', 'expired')),
        request_id TEXT NOT NULL,
        route TEXT NOT NULL,
        key_id TEXT,
        user_id TEXT,
        verdict_id TEXT,
        admitted_at_ms INTEGER NOT NULL,
        deadline_ms INTEGER NOT NULL,
        settled_at_ms INTEGER,
        held INTEGER NOT NULL CHECK (held >= 0),
        quota INTEGER NOT NULL DEFAULT 0 CHECK (quota >= 0),
        granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),
        overage INTEGER NOT NULL DEFAULT 0 CHECK (overage >= 0),
        overrun INTEGER NOT NULL DEFAULT 0 CHECK (overrun >= 0),
        overage_rate TEXT,
        price_book TEXT NOT NULL,
        items TEXT NOT NULL,
        CHECK (quota + granted + overage <= held),
        CHECK ((outcome = 'pending') = (settled_at_ms IS NULL))
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE verdicts (
        id TEXT PRIMARY KEY,
        call_id TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        decision TEXT NOT NULL CHECK (decision IN ('allow', 'flag', 'block')),
        approved INTEGER NOT NULL CHECK (approved IN (0, 1)),
        policy_name TEXT NOT NULL,
        policy_version INTEGER NOT NULL,
        user_id TEXT,
        content_id TEXT,
        batch_id TEXT,
        review_state TEXT NOT NULL CHECK (review_state IN ('none', 'open', 'claimed', 'done')),
        body TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
      "CREATE INDEX verdicts_user ON verdicts (user_id, id) WHERE user_id IS NOT NULL",
      "CREATE INDEX verdicts_content ON verdicts (content_id, id) WHERE content_id IS NOT NULL",
      `CREATE INDEX verdicts_review ON verdicts (review_state, id)
        WHERE review_state IN ('open', 'claimed')`,
      // Keyed by day first, so that what is older than 24 h is purged without an index on time.
      `CREATE TABLE idempotency (
        day INTEGER NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        subject TEXT NOT NULL,
        verdict_ids TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (day, route, key)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE refusals (
        minute INTEGER NOT NULL,
        kind TEXT NOT NULL,
        policy TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count > 0),
        body TEXT NOT NULL,
        PRIMARY KEY (minute, kind, policy)
      ) STRICT, WITHOUT ROWID`,
      // Written only when an invariant was seen broken.
      `CREATE TABLE violations (
        name TEXT PRIMARY KEY,
        count INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: "replies",
    statements: [
      // Of generations, for who repeats an idempotency key; keyed by day first, as idempotency is.
      `CREATE TABLE replies (
        day INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        content_type TEXT NOT NULL,
        body BLOB NOT NULL CHECK (length(body) <= 65536),
        PRIMARY KEY (day, call_id)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  {
    name: "user_pictures",
    statements: [
      // Pictures of a user on a day: written by calls for pictures that name a user, and by no other.
      `CREATE TABLE user_pictures (
        day INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (day, user_id)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  { name: "outbox", statements: [...OUTBOX_TABLES, REPORTS_TABLE] },
  { name: "erasures", statements: ERASURE_TABLES },
  { name: "people", statements: PEOPLE_TABLES },
  { name: "batches", statements: BATCH_TABLES },
  { name: "grants", statements: GRANT_TABLES },
  { name: "adjustments", statements: ADJUSTMENT_TABLES },
  { name: "archives", statements: ARCHIVE_TABLES },
  { name: "feed", statements: FEED_TABLES },
  { name: "leases", statements: LEASE_TABLES },
  { name: "lease_refusals", statements: LEASE_REFUSALS },
  { name: "spell_out_overage", statements: SPELL_OUT_OVERAGE },
  { name: "delivery_rates", statements: DELIVERY_RATES },
  { name: "claims", statements: CLAIM_INDEX },
  { name: "urgent", statements: URGENT_INDEX },
  { name: "message_schedules", statements: MESSAGE_SCHEDULES },
  { name: "score_keys", statements: SCORE_KEYS },
  { name: "reuse", statements: REUSE_TABLES },
  { name: "verdict_counts", statements: VERDICT_COUNTS },
];
