// Tables of the account's pool: its settings, the promise to each tenant, each tenant's share of a day,
// and the units of rate classes that were given in the last minute.

export const POOL_TABLES: readonly string[] = [
  `CREATE TABLE pool_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    settings TEXT NOT NULL,
    measured_margin INTEGER NOT NULL CHECK (measured_margin >= 0),
    notice INTEGER NOT NULL CHECK (notice >= 0),
    closed_day INTEGER,
    closed_at_ms INTEGER,
    probe_at_ms INTEGER,
    lifted_at_ms INTEGER NOT NULL,
    told_day INTEGER NOT NULL,
    told_threshold REAL NOT NULL
  ) STRICT`,
  // One row a tenant that is there. `told`: the latest notice that its object confirmed.
  `CREATE TABLE promises (
    tenant TEXT PRIMARY KEY,
    life INTEGER NOT NULL,
    version INTEGER NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('free', 'paid')),
    daily INTEGER NOT NULL CHECK (daily >= 0),
    floor INTEGER NOT NULL CHECK (floor >= 0),
    told INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // Tenants that were there before: the first message of their objects says the rest.
  `INSERT INTO promises (tenant, life, version, plan, daily, floor, told)
    SELECT id, generation, 0, 'free', 0, 0, 0 FROM tenants WHERE state = 'active'`,
  `CREATE TABLE pool_shares (
    day INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    life INTEGER NOT NULL,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    spent INTEGER NOT NULL CHECK (spent >= 0),
    pending INTEGER NOT NULL CHECK (pending >= 0),
    deadline_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    answer TEXT,
    asked_at_ms INTEGER NOT NULL,
    reported_at_ms INTEGER NOT NULL,
    want INTEGER NOT NULL CHECK (want >= 0),
    refusals INTEGER NOT NULL,
    PRIMARY KEY (day, tenant, life)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE rate_uses (
    class TEXT NOT NULL,
    tenant TEXT NOT NULL,
    hungry_until_ms INTEGER NOT NULL,
    window TEXT NOT NULL,
    PRIMARY KEY (class, tenant)
  ) STRICT, WITHOUT ROWID`,
];

/** Tenants that must be notified. `promises.told` is not used any more. */
export const DENIED_TENANTS: readonly string[] = [
  "ALTER TABLE pool_state ADD COLUMN relief INTEGER NOT NULL DEFAULT 0",
  // Tenants that refuse calls by themselves because of an answer on this day, with the notice that was
  // the latest then.
  `CREATE TABLE denied_tenants (
    tenant TEXT PRIMARY KEY,
    day INTEGER NOT NULL,
    notice INTEGER NOT NULL,
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1))
  ) STRICT, WITHOUT ROWID`,
  // All tenants were notified of a day that is closed already.
  `INSERT INTO denied_tenants (tenant, day, notice, is_closed)
    SELECT tenant, closed_day, told, 1 FROM promises JOIN pool_state WHERE closed_day IS NOT NULL`,
];

/** With it a list of some tenants reads no others. */
export const PROMISE_KINDS = "CREATE INDEX promises_kind ON promises (plan, suspended)";

/** With it the pool of a day reads the floors alone, and not all promises. */
export const PROMISE_FLOORS =
  "CREATE INDEX promises_floor ON promises (tenant, floor) WHERE floor > 0 AND suspended = 0";

/** With it the account lists its tenants without a call of their objects. */
export const SUSPENDED_TENANTS: readonly string[] = [
  "ALTER TABLE promises ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1))",
  // Until now a suspended tenant was written down with a promise of nothing. A tenant whose quota is 0
  // corrects that with its next message.
  "UPDATE promises SET suspended = 1 WHERE version > 0 AND daily = 0 AND floor = 0",
];

/** Units of rate classes that may have been given, in place of what each tenant took. */
export const RATE_BOUNDS: readonly string[] = [
  // Units by class that may have been given within five seconds, which are a period. A slot is written
  // over once its period has left the minute.
  `CREATE TABLE rate_bounds (
    slot INTEGER PRIMARY KEY,
    period INTEGER NOT NULL,
    units TEXT NOT NULL
  ) STRICT`,
  // Units that were given just now count on: in the first period whose permits may be used so late.
  `INSERT INTO rate_bounds (slot, period, units)
    WITH given AS (
      SELECT class, json_extract(each.value, '$[0]') / 5 - 1 AS period,
        json_extract(each.value, '$[1]') AS units
      FROM rate_uses, json_each(rate_uses.window) AS each),
    sums AS (SELECT class, period, SUM(units) AS units FROM given GROUP BY class, period)
    SELECT period % 16, period, json_group_object(class, units) FROM sums
    WHERE period > (SELECT MAX(period) FROM sums) - 16 GROUP BY period`,
  "DROP TABLE rate_uses",
];

/** How much days that are over take of their month, in µN. */
export const DAY_SUMS = `CREATE TABLE pool_days (
  day INTEGER PRIMARY KEY,
  claim INTEGER NOT NULL CHECK (claim >= 0)
) STRICT`;
