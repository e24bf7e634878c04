-- Sums of hours are kept for the last closed day too. Those of that day were deleted when it was closed: they
-- are added up again.
INSERT OR IGNORE INTO marked_hours (hour)
  SELECT 24 * (closed_before - 1) + value
  FROM upkeep, json_each('
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]
  ')
  WHERE closed_before > 0 AND 24 * (closed_before - 1) + value < summed_before;
