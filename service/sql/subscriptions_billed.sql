-- The subscriptions that these invoices bill, by themselves or in their lines.
SELECT DISTINCT b.subscription
FROM mirror AS m
CROSS JOIN LATERAL (
    SELECT m.facts ->> 'subscription' AS subscription
    UNION ALL
    SELECT l.line ->> 'subscription'
    FROM jsonb_array_elements(m.facts -> 'lines') AS l (line)
) AS b
WHERE m.account = %(account)s AND m.kind = 'invoice' AND m.object_id = ANY(%(invoices)s) AND b.subscription IS NOT NULL
ORDER BY b.subscription
