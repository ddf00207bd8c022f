-- The first rows of a meter event; how many there are it tells itself.
SELECT
    l.account, e.source, e.row_id, e.entry_id, l.customer, l.meter, e.value, e.occurred_at, i.recorded_at, e.bucket,
    e.meter_event_id
FROM entry AS e
JOIN lane AS l USING (lane_id)
JOIN intake AS i USING (intake_id)
WHERE e.meter_event_id = %(meter_event_id)s
ORDER BY e.entry_id
LIMIT %(rows_max)s
