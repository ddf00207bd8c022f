-- Whose a signup is: whoever asks for one by its letter names no account.
SELECT l.account
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
WHERE s.signup_id = %(signup_id)s
