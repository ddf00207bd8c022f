-- The first rows behind these meter events.
SELECT e.source, e.row_id, 'me-' || e.meter_event_id AS letter, e.value, e.occurred_at
FROM entry AS e
WHERE e.meter_event_id = ANY(%(meter_event_ids)s)
ORDER BY e.meter_event_id DESC, e.entry_id
LIMIT %(items_max)s
