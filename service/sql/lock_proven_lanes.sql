-- All that a transaction wants, at once and sorted: of two who each took some, neither would get the rest.
SELECT l.signup_lane_id
FROM signup_lane AS l
WHERE l.signup_lane_id IN (SELECT signup_lane_id FROM signup WHERE identifier = ANY(%(identifiers)s))
ORDER BY l.signup_lane_id
FOR UPDATE
