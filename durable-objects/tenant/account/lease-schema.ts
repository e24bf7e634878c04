import type { Feature } from "../../database.ts";

// What the tenant has of the account's pool, and what it knows of the account.

/** An allowance is written here before it is used. `seq`: of the last message that was answered. */
const LEASES_TABLE = `CREATE TABLE leases (
    day INTEGER PRIMARY KEY,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    deadline_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 0),
    told_at_ms INTEGER NOT NULL
  ) STRICT`;

const VIEW_TABLE = `CREATE TABLE account_view (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    notice INTEGER NOT NULL,
    is_pooled INTEGER NOT NULL CHECK (is_pooled IN (0, 1)),
    news TEXT
  ) STRICT`;

export const LEASE_TABLES: readonly string[] = [LEASES_TABLE, VIEW_TABLE];

/** What was refused is known after a crash too: else each of them would cost the account a message. */
export const LEASE_REFUSALS: readonly string[] = ["ALTER TABLE leases ADD COLUMN refused TEXT"];

/** Made where neurons are shared out. */
export const LEASES: Feature = {
  name: "leases",
  migrations: [{ name: "leases", statements: [LEASES_TABLE, ...LEASE_REFUSALS] }],
  isReleased: true,
};

/** Made by the account's first answer. */
export const ACCOUNT_VIEW: Feature = {
  name: "account_view",
  migrations: [{ name: "account_view", statements: [VIEW_TABLE] }],
  isReleased: true,
};
