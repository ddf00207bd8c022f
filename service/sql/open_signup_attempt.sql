-- Committed before the call. The unique index on open attempts refuses a second one of the customer, whoever asks.
INSERT INTO signup_attempt (signup_lane_id, signup_id, step, about, idempotency_key, fence)
SELECT signup_lane_id, signup_id, %(step)s, %(about)s, %(key)s, %(fence)s
FROM signup
WHERE signup_id = %(signup_id)s AND state IN ('due', 'unknown', 'held')
RETURNING signup_attempt_id
