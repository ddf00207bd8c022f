-- The action by which a letter left the desk for good, by itself or with the late usage of which it was one.
SELECT action_id, acted_at, actor, verb, subject, reason, state_before, state_after
FROM operator_action
WHERE subject = %(subject)s AND state_after IN ('discarded', 'recorded')
UNION ALL
SELECT a.action_id, a.acted_at, a.actor, a.verb, a.subject, a.reason, a.state_before, a.state_after
FROM correction AS c
JOIN operator_action AS a USING (action_id)
WHERE c.meter_event_id = substring(%(subject)s::text FROM '^me-([0-9]{1,18})$')::bigint
    AND c.kind IN ('carried', 'waived') AND c.state_before = 'refused'
