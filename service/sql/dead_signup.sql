-- A signup as the desk must know it before it acts: asked once for its customer, and again under his lock.
SELECT
    s.signup_lane_id, s.state, s.subscription,
    EXISTS (SELECT FROM signup_attempt AS a WHERE a.signup_id = s.signup_id AND a.ended_at IS NULL) AS is_called,
    s.replaces IS NULL AND s.said ? 'replaces' AS is_correction
FROM signup AS s
WHERE s.signup_id = %(signup_id)s
