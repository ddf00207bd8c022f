-- Order-proof: a newer word replaces, an older one changes nothing, and of one second only a reading of Stripe does,
-- the later of two. Ordered by key, so that two writers cannot wait for each other.
INSERT INTO subscription (account, subscription, customer, status, ended_at, as_of, read_at, object)
SELECT %(account)s, subscription, customer, status, ended_at, as_of, read_at, object
FROM unnest(
    %(subscriptions)s::text[], %(customers)s::text[], %(statuses)s::text[], %(ended_ats)s::timestamptz[],
    %(as_ofs)s::timestamptz[], %(read_ats)s::timestamptz[], %(objects)s::jsonb[]
) AS told (subscription, customer, status, ended_at, as_of, read_at, object)
ORDER BY subscription
ON CONFLICT (account, subscription) DO UPDATE
SET customer = EXCLUDED.customer,
    status = EXCLUDED.status,
    ended_at = EXCLUDED.ended_at,
    as_of = EXCLUDED.as_of,
    read_at = EXCLUDED.read_at,
    object = EXCLUDED.object
WHERE EXCLUDED.as_of > subscription.as_of
    OR (
        EXCLUDED.as_of = subscription.as_of
        AND EXCLUDED.read_at > coalesce(subscription.read_at, '-infinity')
    )
RETURNING subscription AS object_id
