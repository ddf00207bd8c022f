-- Subscription rows of this id: one of each source at most, as of usage, and never both under one source.
SELECT s.signup_id, k.account, k.source, k.row_id, l.customer, s.price, s.state, i.recorded_at
FROM row_key AS k
JOIN signup AS s ON s.signup_id = k.entry_id
JOIN signup_lane AS l USING (signup_lane_id)
JOIN intake AS i USING (intake_id)
WHERE k.row_id = %(row_id)s
ORDER BY k.account, k.source
LIMIT %(rows_max)s
