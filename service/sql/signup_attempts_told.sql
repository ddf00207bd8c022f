-- The newest calls for a subscription; one that waits for days makes attempts without end.
SELECT
    signup_attempt_id, step, about, idempotency_key, started_at, ended_at, outcome, status, code, detail, request_id,
    is_replayed
FROM signup_attempt
WHERE signup_id = %(signup_id)s
ORDER BY signup_attempt_id DESC
LIMIT %(attempts_max)s
