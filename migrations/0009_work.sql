-- Work that calls are not the measure of, counted by name (JSON): documents, runs of Workflows, vectors,
-- transformations of pictures. Rows of before are empty.

ALTER TABLE call_hours ADD COLUMN work TEXT NOT NULL DEFAULT '{}';
ALTER TABLE call_days ADD COLUMN work TEXT NOT NULL DEFAULT '{}';
ALTER TABLE call_sums ADD COLUMN work TEXT NOT NULL DEFAULT '{}';
ALTER TABLE call_hour_sums ADD COLUMN work TEXT NOT NULL DEFAULT '{}';
