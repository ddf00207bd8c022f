-- The subscriptions of an id, of whatever kind it is: the desk's, the row's, Stripe's, or the one in its metadata.
SELECT
    s.signup_id, l.account, s.source, s.row_id, s.import_name, l.customer, s.price, s.said, s.identifier, s.state,
    s.reason, s.due_at, s.meter_stripe_id, s.key_number, s.creation, s.subscription, s.stands_since, i.recorded_at,
    r.row_id AS replaces, c.row_id AS replaced_by, m.facts ->> 'status' AS status, m.as_of AS status_as_of,
    is_closed('su-' || s.signup_id) AS is_discarded
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
JOIN intake AS i USING (intake_id)
LEFT JOIN signup AS r ON r.signup_id = s.replaces
LEFT JOIN signup AS c ON c.replaces = s.signup_id
LEFT JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (l.account, 'subscription', s.subscription)
WHERE s.signup_id IN (
    SELECT entry_id FROM row_key WHERE row_id = %(id)s AND account = %(account)s
    UNION ALL SELECT substring(%(id)s::text FROM '^su-([0-9]{1,18})$')::bigint
    UNION ALL SELECT signup_id FROM signup WHERE identifier = %(id)s
    UNION ALL SELECT signup_id FROM signup WHERE subscription = %(id)s
) AND l.account = %(account)s
ORDER BY s.signup_id
LIMIT %(signups_max)s
