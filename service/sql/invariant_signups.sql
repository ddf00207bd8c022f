-- One row, one subscription: what was accepted or listed under a row's identifier is what its signup says, and no two rows
-- share one. What is to be made stands where it is looked for.
SELECT subject, said
FROM (
    SELECT 'su-' || s.signup_id AS subject, format('subscription %%s is that of another row too', s.subscription) AS said
    FROM signup AS s
    WHERE EXISTS (
        SELECT FROM signup AS o WHERE o.subscription = s.subscription AND o.signup_id < s.signup_id
    )
    UNION ALL
    SELECT 'su-' || s.signup_id, format('Stripe made %%s of it, and it is %%s', x.found, concat_ws(' ', s.state, s.subscription))
    FROM signup_step AS x
    JOIN signup AS s USING (signup_id)
    WHERE x.step = 'create' AND s.state <> 'conflict' AND (s.state, s.subscription) IS DISTINCT FROM ('created', x.found)
    UNION ALL
    SELECT 'su-' || s.signup_id, 'a call may have made it, and nobody knows since when'
    FROM signup AS s
    WHERE s.state IN ('unknown', 'held') AND s.ambiguous_since IS NULL
    UNION ALL
    SELECT 'su-' || s.signup_id, format('it is %%s, and nothing makes anybody look at its customer', s.state)
    FROM signup AS s
    JOIN signup_lane AS l USING (signup_lane_id)
    WHERE s.state IN ('due', 'unknown', 'held') AND l.due_at IS NULL AND NOT is_closed('su-' || s.signup_id)
) AS found
LIMIT %(breaches_max)s
