-- What was made here and whose first invoice is not paid, by Stripe's word for it: those of which Stripe may still be
-- paid, and those that ended lately, because what ended long ago is settled one way or another. Ids: the first alone.
SELECT
    m.facts ->> 'status' AS status, count(*) AS signups,
    (array_agg(s.signup_id ORDER BY s.signup_id))[1:%(ids_max)s] AS signup_ids
FROM mirror AS m
JOIN signup AS s ON s.subscription = m.object_id
JOIN signup_lane AS l ON l.signup_lane_id = s.signup_lane_id AND l.account = m.account
WHERE m.kind = 'subscription' AND s.state = 'created' AND (
    m.facts ->> 'status' = 'incomplete'
    OR m.facts ->> 'status' = 'incomplete_expired' AND m.as_of > ledger_now() - %(lately)s
)
GROUP BY 1
ORDER BY 1
