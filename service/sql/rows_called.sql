-- A row id is unique within a source only, so a bare id may name several rows.
SELECT
    k.account, k.source, k.row_id, k.entry_id, l.customer, l.meter, e.value, e.occurred_at, i.recorded_at, e.bucket,
    e.meter_event_id
FROM row_key AS k
JOIN entry AS e USING (entry_id)
JOIN lane AS l USING (lane_id)
JOIN intake AS i USING (intake_id)
WHERE k.row_id = %(row_id)s
ORDER BY k.account, k.source
LIMIT %(rows_max)s
