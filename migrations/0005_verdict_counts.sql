-- What the verdicts of an hour's calls came to, counted by name (JSON): how many were made, what they
-- cost, how many were answered with the scores of another and what that one had cost, and what free
-- checks spared. Rows of before are empty.

ALTER TABLE call_hours ADD COLUMN verdicts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE call_days ADD COLUMN verdicts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE call_sums ADD COLUMN verdicts TEXT NOT NULL DEFAULT '{}';
