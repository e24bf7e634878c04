import type { Migration, Feature } from "../database.ts";
import { ADJUSTMENT_TABLES } from "./ledger/adjustment-schema.ts";
import { ARCHIVE_TABLES } from "./ledger/archive-schema.ts";
import { BATCH_TABLES } from "./batches/batch-schema.ts";
import {
  IDEMPOTENCY_TABLE,
  REFUSALS_TABLE,
  REPLIES_TABLE,
  USER_PICTURES_TABLE,
} from "./calls/call-schema.ts";
import { GRANT_TABLES, JOURNAL_GRANTS } from "./ledger/grant-schema.ts";
import { CLAIM_INDEX, PEOPLE_TABLES, URGENT_INDEX } from "./verdicts/people-schema.ts";
import { DELIVERY_RATES, MESSAGE_SCHEDULES, OUTBOX_TABLES } from "../outbox/outbox-schema.ts";
import { REPORTS_TABLE } from "../outbox/platform-event-store.ts";
import { FEED_TABLES } from "./usage/feed-schema.ts";
import { ERASURE_TABLES } from "./privacy/erasure-schema.ts";
import { FIRST_KEYS_TABLE, KEY_LINEAGES, KEYS_TABLE, SCORE_KEYS } from "./keys/key-schema.ts";
import { LEDGER_TABLES, VIOLATIONS_TABLE } from "./ledger/ledger-schema.ts";
import { LEASE_REFUSALS, LEASE_TABLES } from "./account/lease-schema.ts";
import { SPELL_OUT_OVERAGE } from "./settings-migration.ts";
import { VERDICT_TABLES } from "./verdicts/verdict-schema.ts";

// The tables of a tenant's object; `docs/storage.md` describes them. WITHOUT ROWID keeps a row with a
// text key at one written row, not two.

const TENANT_TABLE = `CREATE TABLE tenant (
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
      ) STRICT`;

const POLICIES_TABLE = `CREATE TABLE policies (
        name TEXT NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        body TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (name, version)
      ) STRICT, WITHOUT ROWID`;

/** What a tenant needs to exist and to be called: made with it. */
export const CORE: Feature = {
  name: "core",
  migrations: [
    { name: "core", statements: [TENANT_TABLE, KEYS_TABLE, POLICIES_TABLE] },
    { name: "key_lineages", statements: KEY_LINEAGES },
  ],
  isReleased: true,
};

/**
 * What objects from before the stages have run, or run when they start. It grows no more: a change
 * is a migration of the core's or of a feature's.
 */
export const TENANT_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      TENANT_TABLE,
      FIRST_KEYS_TABLE,
      POLICIES_TABLE,
      ...LEDGER_TABLES,
      ...VERDICT_TABLES,
      IDEMPOTENCY_TABLE,
      REFUSALS_TABLE,
      VIOLATIONS_TABLE,
    ],
  },
  { name: "replies", statements: [REPLIES_TABLE] },
  { name: "user_pictures", statements: [USER_PICTURES_TABLE] },
  { name: "outbox", statements: [...OUTBOX_TABLES, REPORTS_TABLE] },
  { name: "erasures", statements: ERASURE_TABLES },
  { name: "people", statements: PEOPLE_TABLES },
  { name: "batches", statements: BATCH_TABLES },
  { name: "grants", statements: [...GRANT_TABLES, JOURNAL_GRANTS] },
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
];
