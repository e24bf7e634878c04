import type { Feature } from "../../database.ts";

/**
 * `slot`: the user's place within the day, as in `report_users`; 0: users without a place; -1: calls that
 * named no user. `key_id` is empty where no key of the tenant called, `model` where no model ran; else
 * it is the model, its engine, the model of its price, and its task, as JSON. Amounts are µN.
 */
const SPLITS_TABLE = `CREATE TABLE usage_splits (
    day INTEGER NOT NULL,
    slot INTEGER NOT NULL CHECK (slot >= -1),
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    engine_requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    units TEXT NOT NULL,
    micro_neurons INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    held INTEGER NOT NULL,
    overrun INTEGER NOT NULL,
    PRIMARY KEY (day, slot, key_id, model)
  ) STRICT, WITHOUT ROWID`;

export const USAGE_SPLITS: Feature = {
  name: "usage_splits",
  migrations: [{ name: "usage_splits", statements: [SPLITS_TABLE] }],
  isReleased: false,
};
