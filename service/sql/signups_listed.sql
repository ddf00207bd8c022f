-- A page of subscriptions, by key and not by offset: what is told meanwhile shifts nothing. Where a filter is null, all
-- fit.
SELECT
    s.signup_id, s.source, s.row_id, s.import_name, l.customer, s.price, s.state, s.reason, s.subscription,
    m.facts ->> 'status' AS status, i.recorded_at, s.due_at, is_closed('su-' || s.signup_id) AS is_discarded
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
JOIN intake AS i USING (intake_id)
LEFT JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (l.account, 'subscription', s.subscription)
WHERE l.account = %(account)s AND s.signup_id > %(after)s
    AND (%(import_name)s::text IS NULL OR s.import_name = %(import_name)s)
    AND (%(customer)s::text IS NULL OR l.customer = %(customer)s)
    AND (%(states)s::text[] IS NULL OR s.state = ANY (%(states)s))
    AND (NOT %(is_unpaid)s OR s.state = 'created' AND m.facts ->> 'status' IN ('incomplete', 'incomplete_expired'))
ORDER BY s.signup_id
LIMIT %(signups_max)s
