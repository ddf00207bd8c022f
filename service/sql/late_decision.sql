-- What a person decided of a late meter event, or of the newest of an invoice and lane.
SELECT c.kind, a.actor, a.acted_at, a.reason
FROM correction AS c
JOIN operator_action AS a USING (action_id)
WHERE c.kind IN ('carried', 'waived')
    AND (c.meter_event_id = %(meter_event_id)s::bigint OR a.subject = %(subject)s)
ORDER BY c.correction_id DESC
LIMIT 1
