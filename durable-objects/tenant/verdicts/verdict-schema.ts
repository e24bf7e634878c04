import type { Feature } from "../../database.ts";
import { CLAIM_INDEX, URGENT_INDEX } from "./people-schema.ts";

// The table of verdicts, which the first verdict makes; `docs/storage.md` describes it.

export const VERDICT_TABLES: readonly string[] = [
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
];

export const VERDICTS: Feature = {
  name: "verdicts",
  migrations: [
    { name: "verdicts", statements: [...VERDICT_TABLES, ...CLAIM_INDEX, ...URGENT_INDEX] },
  ],
  isReleased: true,
};
