-- When rows were last written, so that a report can say how old it may be.

CREATE TABLE freshness (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  written_at_ms INTEGER NOT NULL
) STRICT;
