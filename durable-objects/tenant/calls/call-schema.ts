import type { Feature } from "../../database.ts";

// What calls leave beside their lines; `docs/storage.md` describes the tables.

/** Keyed by day first, so that what is older than 24 h is purged without an index on time. */
export const IDEMPOTENCY_TABLE = `CREATE TABLE idempotency (
        day INTEGER NOT NULL,
        route TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        subject TEXT NOT NULL,
        verdict_ids TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        PRIMARY KEY (day, route, key)
      ) STRICT, WITHOUT ROWID`;

export const REFUSALS_TABLE = `CREATE TABLE refusals (
        minute INTEGER NOT NULL,
        kind TEXT NOT NULL,
        policy TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count > 0),
        body TEXT NOT NULL,
        PRIMARY KEY (minute, kind, policy)
      ) STRICT, WITHOUT ROWID`;

/** Of generations and documents, for repeats of an idempotency key; keyed by day first, as idempotency is. */
export const REPLIES_TABLE = `CREATE TABLE replies (
        day INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        content_type TEXT NOT NULL,
        body BLOB NOT NULL CHECK (length(body) <= 65536),
        PRIMARY KEY (day, call_id)
      ) STRICT, WITHOUT ROWID`;

/** Pictures of a user on a day: written by calls for pictures that name a user, and by no other. */
export const USER_PICTURES_TABLE = `CREATE TABLE user_pictures (
        day INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (day, user_id)
      ) STRICT, WITHOUT ROWID`;

const oneTable = (name: string, table: string): Feature => ({
  name,
  migrations: [{ name, statements: [table] }],
  isReleased: true,
});

export const IDEMPOTENCY = oneTable("idempotency", IDEMPOTENCY_TABLE);
export const REFUSALS = oneTable("refusals", REFUSALS_TABLE);
export const REPLIES = oneTable("replies", REPLIES_TABLE);
/** Which kept replies may quote a document. */
export const QUOTED_DOCUMENTS: Feature = {
  name: "quoted_documents",
  migrations: [
    {
      name: "quoted_documents",
      statements: [
        `CREATE TABLE quoted_documents (
          day INTEGER NOT NULL,
          document_id TEXT NOT NULL,
          call_id TEXT NOT NULL,
          PRIMARY KEY (day, document_id, call_id)
        ) STRICT, WITHOUT ROWID`,
      ],
    },
  ],
  isReleased: false,
};
export const USER_PICTURES = oneTable("user_pictures", USER_PICTURES_TABLE);
