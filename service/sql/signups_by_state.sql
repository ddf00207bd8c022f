-- How many subscriptions of one import stand where; asked again and again while somebody watches, so by indexes alone.
-- What a person discarded is told apart, for it waits for nobody; so is what was made and whose first invoice is not
-- paid, in Stripe's words for it, for it bills nothing as long.
SELECT
    CASE
        WHEN s.state IN ('refused', 'blocked', 'conflict', 'held') AND is_closed('su-' || s.signup_id) THEN 'discarded'
        WHEN s.state = 'created' AND m.facts ->> 'status' IN ('incomplete', 'incomplete_expired')
            THEN m.facts ->> 'status'
        ELSE s.state
    END AS state,
    count(*) AS signups
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
LEFT JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (l.account, 'subscription', s.subscription)
WHERE s.import_name = %(import_name)s AND l.account = %(account)s
GROUP BY 1
ORDER BY 1
