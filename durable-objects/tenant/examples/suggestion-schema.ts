import type { Feature } from "../../database.ts";

/** Texts that clients of the Perspective API's methods labelled, while the tenant keeps them. */
const SUGGESTIONS_TABLE = `CREATE TABLE suggestions (
    id TEXT PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    labels TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`;

export const SUGGESTIONS: Feature = {
  name: "suggestions",
  migrations: [{ name: "suggestions", statements: [SUGGESTIONS_TABLE] }],
  isReleased: false,
};
