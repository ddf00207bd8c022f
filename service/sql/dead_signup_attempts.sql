-- Calls left open by a holder that is gone: the lease was taken over, so nobody will close them but us.
SELECT signup_attempt_id, signup_id, step
FROM signup_attempt
WHERE signup_lane_id = %(signup_lane_id)s AND ended_at IS NULL AND fence < %(fence)s
