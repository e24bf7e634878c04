-- Hours of days that are not closed yet, added up over all tenants once they are over, so that today is
-- read from some rows an hour. `docs/reports.md` says when which is read.

CREATE TABLE usage_hour_sums (
  hour INTEGER NOT NULL,
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
  PRIMARY KEY (hour, model, engine, priced_as, task)
) STRICT, WITHOUT ROWID;

CREATE TABLE call_hour_sums (
  hour INTEGER NOT NULL PRIMARY KEY,
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
  verdicts TEXT NOT NULL,
  latency TEXT NOT NULL,
  settled_after_midnight INTEGER NOT NULL,
  hours INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Hours whose sums are behind: the tenants' rows are read.
CREATE TABLE marked_hours (
  hour INTEGER NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Hours before this one, of days that are not closed, have sums or are marked.
ALTER TABLE upkeep ADD COLUMN summed_before INTEGER NOT NULL DEFAULT 0;
