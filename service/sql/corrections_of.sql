-- What persons corrected of these entries and meter events, and what of it an entry corrects itself, in order.
SELECT
    c.kind, c.units, c.source, c.row_id, c.meter_event_id, c.corrected_entry_id, c.entry_id, a.acted_at, a.actor, a.reason
FROM correction AS c
JOIN operator_action AS a USING (action_id)
WHERE c.meter_event_id = ANY(%(meter_event_ids)s) OR c.corrected_entry_id = ANY(%(entry_ids)s)
    OR c.entry_id = ANY(%(entry_ids)s)
ORDER BY c.correction_id
LIMIT %(corrections_max)s
