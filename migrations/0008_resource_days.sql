-- What Cloudflare's analytics count of the account's resources, by day (a number since 1970). A resource
-- is one of the price book; what the analytics do not say has no row.

CREATE TABLE resource_days (
  day INTEGER NOT NULL,
  resource TEXT NOT NULL,
  count INTEGER NOT NULL,
  read_at_ms INTEGER NOT NULL,
  PRIMARY KEY (day, resource)
) STRICT, WITHOUT ROWID;
