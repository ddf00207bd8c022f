-- Why rows of a backfill do not count, and how many.
SELECT state, coalesce(reason, 'said by a producer before') AS reason, count(*) AS rows, sum(value) AS units
FROM backfill_row
WHERE backfill_id = %(backfill_id)s AND state IN ('duplicate', 'conflict', 'left_out', 'kept')
GROUP BY state, reason
ORDER BY state, rows DESC
LIMIT %(reasons_max)s
