-- The customer's other signups that may stand in the way of this one, in the order in which they were recorded.
SELECT
    o.signup_id, o.signup_id < s.signup_id AS is_earlier, o.state, o.meter_stripe_id, o.price, o.import_name, o.subscription
FROM signup AS s
JOIN signup AS o ON o.signup_lane_id = s.signup_lane_id AND o.signup_id <> s.signup_id
WHERE s.signup_id = %(signup_id)s AND o.state IN ('due', 'unknown', 'held', 'created')
    AND (o.state = 'created' OR NOT is_closed('su-' || o.signup_id))
ORDER BY o.signup_id
