-- All calls that were made for a signup, oldest first. Stripe names each call that it answers itself; what a proxy answers
-- may still be under way.
SELECT
    step, about, idempotency_key AS key, started_at, ended_at, outcome, status,
    status IS NOT NULL AND request_id IS NOT NULL AS is_answered, is_replayed
FROM signup_attempt
WHERE signup_id = %(signup_id)s
ORDER BY signup_attempt_id
