-- The action by which a letter left the desk for good; the unique index allows one.
SELECT action_id, acted_at, actor, verb, subject, reason, state_before, state_after
FROM operator_action
WHERE subject = %(subject)s AND state_after IN ('discarded', 'recorded')
