-- What was told again under this id with other content; the first content counts.
SELECT c.account, c.source, c.row_id, c.customer, c.meter, c.value, c.occurred_at, c.said, i.recorded_at
FROM row_conflict AS c
JOIN intake AS i USING (intake_id)
WHERE c.row_id = %(row_id)s
ORDER BY c.conflict_id
LIMIT %(rows_max)s
