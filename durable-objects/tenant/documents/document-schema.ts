import type { Feature } from "../../database.ts";

// The tables of documents; `docs/storage.md` describes them.

export const DOCUMENT_TABLES: readonly string[] = [
  // `file` is the call that made it: it names the files in the bucket, and it grows with time.
  `CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    file TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'ready')),
    type TEXT NOT NULL,
    user_id TEXT,
    content_type TEXT NOT NULL,
    language TEXT,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    characters INTEGER NOT NULL CHECK (characters >= 0),
    hidden_passages INTEGER NOT NULL CHECK (hidden_passages >= 0),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
    tasks TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  "CREATE UNIQUE INDEX documents_file ON documents (file)",
  "CREATE INDEX documents_expiry ON documents (expires_at_ms)",
  "CREATE INDEX documents_user ON documents (user_id, file) WHERE user_id IS NOT NULL",
  // Files in the bucket that are to be erased: of documents that were deleted, and of calls in progress
  // that may not reach their end.
  `CREATE TABLE document_files (
    file TEXT PRIMARY KEY,
    document_id TEXT NOT NULL,
    erase_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX document_files_due ON document_files (erase_at_ms)",
];

export const DOCUMENTS: Feature = {
  name: "documents",
  migrations: [{ name: "documents", statements: DOCUMENT_TABLES }],
  isReleased: false,
};
