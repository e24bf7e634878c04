import type { Feature } from "../../database.ts";

// The table of adjustments; `docs/storage.md` describes it. They are lines of the journal with an
// amount that is given back, which the journal's own table, and its checks, does not know.

export const ADJUSTMENT_TABLES: readonly string[] = [
  `CREATE TABLE adjustments (
    id TEXT PRIMARY KEY,
    adjusts TEXT NOT NULL,
    day INTEGER NOT NULL,
    admitted_at_ms INTEGER NOT NULL,
    made_at_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    quota INTEGER NOT NULL CHECK (quota >= 0),
    granted INTEGER NOT NULL CHECK (granted >= 0),
    overage INTEGER NOT NULL CHECK (overage >= 0),
    overage_rate TEXT,
    price_book TEXT NOT NULL,
    grants TEXT,
    CHECK (amount = quota + granted + overage),
    CHECK ((overage_rate IS NULL) = (overage = 0)),
    CHECK ((grants IS NULL) = (granted = 0))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX adjustments_of_line ON adjustments (day, adjusts)",
];

export const ADJUSTMENTS: Feature = {
  name: "adjustments",
  migrations: [{ name: "adjustments", statements: ADJUSTMENT_TABLES }],
  isReleased: true,
};
