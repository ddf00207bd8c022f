-- What persons did about one thing, or about anything (null), the newest first.
SELECT action_id, acted_at, actor, verb, subject, reason, state_before, state_after
FROM operator_action
WHERE %(subject)s::text IS NULL OR subject = %(subject)s
ORDER BY action_id DESC
LIMIT %(actions_max)s
