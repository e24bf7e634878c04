-- What Cloudflare counted against what the journals charged. Days are numbers since 1970 (UTC),
-- amounts whole micro-neurons, money exact decimal strings. `docs/reconciliation.md` says what each
-- column means and what it can explain.

CREATE TABLE reconciliation (
  day INTEGER NOT NULL,
  model TEXT NOT NULL,
  micro_neurons INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  held INTEGER NOT NULL,
  overrun INTEGER NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  settled_from_day_before INTEGER NOT NULL,
  upstream_micro_neurons INTEGER,
  upstream_requests INTEGER,
  upstream_input_tokens INTEGER,
  upstream_output_tokens INTEGER,
  first_upstream_micro_neurons INTEGER,
  drift INTEGER,
  unexplained INTEGER,
  PRIMARY KEY (day, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE reconciliation_days (
  day INTEGER NOT NULL PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('compared', 'no_data', 'unknown')),
  runs INTEGER NOT NULL,
  first_run_at_ms INTEGER NOT NULL,
  last_run_at_ms INTEGER NOT NULL,
  last_outcome TEXT NOT NULL CHECK (last_outcome IN ('compared', 'no_data', 'failed', 'not_configured')),
  last_reason TEXT,
  compared_at_ms INTEGER,
  cost_usd TEXT NOT NULL,
  free_allocation_usd TEXT NOT NULL,
  expected_bill_usd TEXT NOT NULL,
  charged_to_tenants_usd TEXT NOT NULL,
  carried_by_platform_usd TEXT NOT NULL
) STRICT, WITHOUT ROWID;
