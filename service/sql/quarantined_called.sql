-- Rows that could not be read, but whose id could. Quarantine is small by nature; it has no index for this.
SELECT q.quarantine_id, q.row_id, q.field, q.reason, q.raw, i.recorded_at
FROM quarantine AS q
JOIN intake AS i USING (intake_id)
WHERE q.row_id = %(row_id)s
ORDER BY q.quarantine_id
LIMIT %(rows_max)s
