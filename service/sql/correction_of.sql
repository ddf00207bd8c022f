-- What corrects a meter event as a whole, or one entry, already: the newest of it.
SELECT c.kind, c.units, c.row_id, a.action_id, a.actor, a.acted_at, a.reason
FROM correction AS c
JOIN operator_action AS a USING (action_id)
WHERE c.kind IN ('corrected', 'cancelled', 'reverted')
    AND CASE
        WHEN %(entry_id)s::bigint IS NULL THEN c.meter_event_id = %(meter_event_id)s
        ELSE c.corrected_entry_id = %(entry_id)s
    END
ORDER BY c.correction_id DESC
LIMIT 1
