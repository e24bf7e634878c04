-- Days that are over, added up once: of each tenant and of all tenants. What they hold is what the
-- hours of the day come to; the hours go after five weeks. `docs/reports.md` says when which is read.

CREATE TABLE usage_days (
  day INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  model TEXT NOT NULL,
  engine TEXT NOT NULL,
  priced_as TEXT NOT NULL,
  task TEXT NOT NULL,
  engine_requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  units TEXT NOT NULL,
  micro_neurons INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  held INTEGER NOT NULL,
  overrun INTEGER NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  latency TEXT NOT NULL,
  hours INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (day, tenant, life, model, engine, priced_as, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_days (
  day INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  posted INTEGER NOT NULL,
  voided INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  quota INTEGER NOT NULL,
  granted INTEGER NOT NULL,
  overage INTEGER NOT NULL,
  overage_by_rate TEXT NOT NULL,
  adjusted INTEGER NOT NULL,
  refused TEXT NOT NULL,
  latency TEXT NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  hours INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (day, tenant, life)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_sums (
  day INTEGER NOT NULL,
  model TEXT NOT NULL,
  engine TEXT NOT NULL,
  priced_as TEXT NOT NULL,
  task TEXT NOT NULL,
  engine_requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  units TEXT NOT NULL,
  micro_neurons INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  held INTEGER NOT NULL,
  overrun INTEGER NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  latency TEXT NOT NULL,
  hours INTEGER NOT NULL,
  PRIMARY KEY (day, model, engine, priced_as, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_sums (
  day INTEGER NOT NULL PRIMARY KEY,
  calls INTEGER NOT NULL,
  posted INTEGER NOT NULL,
  voided INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  quota INTEGER NOT NULL,
  granted INTEGER NOT NULL,
  overage INTEGER NOT NULL,
  overage_by_rate TEXT NOT NULL,
  adjusted INTEGER NOT NULL,
  refused TEXT NOT NULL,
  latency TEXT NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  hours INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Days of tenants whose sums are behind. Stage 1: what `usage_days` and `call_days` hold of them is not
-- what their hours come to, and the hours are read. Stage 2: these hold, and only the sums of the day
-- over all tenants do not.
CREATE TABLE marked_days (
  day INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  stage INTEGER NOT NULL CHECK (stage IN (1, 2)),
  PRIMARY KEY (day, tenant)
) STRICT, WITHOUT ROWID;

CREATE INDEX marked_days_to_add_up ON marked_days (day, tenant) WHERE stage = 1;

-- How far that is. Days before `closed_before` have sums, or are marked; days before `rolled_before`
-- have no hours any more.
CREATE TABLE upkeep (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  closed_before INTEGER NOT NULL,
  rolled_before INTEGER NOT NULL CHECK (rolled_before <= closed_before),
  is_purge_behind INTEGER NOT NULL,
  last_run_at_ms INTEGER
) STRICT;

INSERT INTO upkeep (only_row, closed_before, rolled_before, is_purge_behind) VALUES (1, 0, 0, 0);
