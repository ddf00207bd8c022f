-- One row that could not be read, as it stands.
SELECT q.quarantine_id, q.row_id, q.field, q.reason, q.raw, i.recorded_at
FROM quarantine AS q
JOIN intake AS i USING (intake_id)
WHERE q.quarantine_id = %(quarantine_id)s
