-- The platform's read model: rows that tenants' objects fold from their journals, one by one
-- replaced by whichever has the higher sequence. Hours and days are numbers since 1970 (UTC), amounts
-- whole micro-neurons. `docs/reports.md` says what each column means.

CREATE TABLE usage_hours (
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
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
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tenant, life, hour, model, engine, priced_as, task)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_hours_by_hour ON usage_hours (hour);

CREATE TABLE call_hours (
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  hour INTEGER NOT NULL,
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
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tenant, life, hour)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_hours_by_hour ON call_hours (hour);

-- A slot is the place of a user within the day, so that an erasure empties `user_id` in a row that an
-- older message can no longer replace. Slot 0 is everybody beyond the first thousand.
CREATE TABLE user_days (
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  day INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  calls INTEGER NOT NULL,
  micro_neurons INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tenant, life, day, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_days_by_day ON user_days (day);

-- Verdicts that do not allow. One that a review allowed later, or that was erased, stays as an empty
-- row with `removed` until it expires: an older message must not bring it back.
CREATE TABLE moderation_log (
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  verdict_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  decision TEXT NOT NULL,
  approved INTEGER NOT NULL,
  decided_by TEXT NOT NULL,
  categories TEXT NOT NULL,
  user_id TEXT,
  content_id TEXT,
  policy TEXT NOT NULL,
  policy_version INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tenant, life, verdict_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX moderation_log_by_expiry ON moderation_log (expires_at_ms);

CREATE INDEX moderation_log_by_verdict ON moderation_log (verdict_id);

-- Lives of tenants that were deleted: no message brings a row of theirs back.
CREATE TABLE ended_lives (
  tenant TEXT NOT NULL,
  life INTEGER NOT NULL,
  ended_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant, life)
) STRICT, WITHOUT ROWID;
