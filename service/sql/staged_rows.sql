-- The next rows to be recorded or left out, in the order of their files.
SELECT place, account, source, row_id, customer, meter, value, occurred_at, unit, standing, reason
FROM staged_row
WHERE backfill_id = %(backfill_id)s
ORDER BY place
LIMIT %(rows_max)s
