-- How many subscriptions of one import stand where; asked again and again while somebody watches, so by its index
-- alone. What a person discarded is told apart, for it waits for nobody.
SELECT
    CASE WHEN s.state IN ('refused', 'blocked', 'conflict', 'held') AND is_closed('su-' || s.signup_id)
        THEN 'discarded' ELSE s.state END AS state,
    count(*) AS signups
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
WHERE s.import_name = %(import_name)s AND l.account = %(account)s
GROUP BY 1
ORDER BY 1
