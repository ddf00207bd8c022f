-- Lanes that a draft bills are leased before the others while it is one. After `lock_billed_lanes`.
UPDATE lane AS l
SET closes_at = d.closes_at
FROM unnest(%(customers)s::text[]) AS c (customer)
LEFT JOIN LATERAL (
    SELECT max(coalesce(i.automatically_finalizes_at, 'infinity')) AS closes_at
    FROM mirror AS m
    JOIN invoice AS i ON (i.account, i.invoice) = (m.account, m.object_id)
    WHERE (m.account, m.customer, m.kind) = (%(account)s, c.customer, 'invoice')
        AND i.status = 'draft' AND i.billing_reason = 'subscription_cycle'
) AS d ON true
WHERE (l.account, l.customer) = (%(account)s, c.customer) AND l.closes_at IS DISTINCT FROM d.closes_at
