-- The lanes of what comes in, and of what it replaces, which may be another customer's: while they are locked no call begins
-- there, and none ends. Before the keys and sorted, as every intake does it, so that intakes cannot deadlock.
SELECT signup_lane_id
FROM signup_lane
WHERE signup_lane_id IN (
    SELECT l.signup_lane_id
    FROM staged_signup AS s
    JOIN signup_lane AS l USING (account, customer)
    UNION ALL
    SELECT replaced.signup_lane_id
    FROM staged_signup AS s
    JOIN row_key AS k ON (k.account, k.source, k.row_id) = (s.account, s.source, s.replaces)
    JOIN signup AS replaced ON replaced.signup_id = k.entry_id
)
ORDER BY signup_lane_id
FOR UPDATE
