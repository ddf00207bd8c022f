-- What Stripe has under a row's identifier is made, whatever we believed; two of them, or one of a row that was told anew,
-- are for a person. The customer is asked as well: metadata can be copied by hand to anybody's.
WITH told AS (
    SELECT identifier, customer, array_agg(DISTINCT subscription ORDER BY subscription) AS subscriptions
    FROM unnest(%(identifiers)s::text[], %(customers)s::text[], %(subscriptions)s::text[])
        AS t (identifier, customer, subscription)
    GROUP BY identifier, customer
), proven AS (
    SELECT
        s.signup_id, s.state AS before, coalesce(s.subscription, t.subscriptions[1]) AS subscription,
        CASE
            WHEN cardinality(t.subscriptions) > 1 OR s.subscription <> t.subscriptions[1] THEN %(several)s
            WHEN s.state = 'replaced' THEN %(replaced)s
        END AS reason,
        array_to_string(array_remove(t.subscriptions, s.subscription) || s.subscription, ', ') AS named
    FROM signup AS s
    JOIN signup_lane AS l USING (signup_lane_id)
    JOIN told AS t ON (t.identifier, t.customer) = (s.identifier, l.customer)
    WHERE l.account = %(account)s AND s.state <> 'conflict'
        AND NOT (s.state = 'created' AND t.subscriptions = ARRAY[s.subscription])
)
UPDATE signup AS s
SET state = CASE WHEN p.reason IS NULL THEN 'created' ELSE 'conflict' END,
    reason = replace(p.reason, '{}', p.named),
    subscription = p.subscription,
    due_at = NULL
FROM proven AS p
WHERE s.signup_id = p.signup_id
RETURNING s.signup_id, s.identifier, p.before, s.state, s.subscription, s.reason
