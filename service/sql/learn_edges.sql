-- The period edges of mirrored items whose meter is known. An edge that was once true stays, so repeating this is
-- harmless: after a mirror changed for its subscriptions, after a meter became known for all (subscriptions NULL).
INSERT INTO period_edge (account, customer, meter, edge_at)
SELECT DISTINCT i.account, i.customer, m.meter, edge.edge_at
FROM subscription_item AS i
JOIN subscription AS s ON (s.account, s.subscription) = (i.account, i.subscription)
JOIN meter AS m ON (m.account, m.stripe_id) = (i.account, i.meter_stripe_id)
CROSS JOIN LATERAL (VALUES (i.period_start), (i.period_end), (s.ended_at)) AS edge (edge_at)
WHERE i.account = %(account)s AND edge.edge_at IS NOT NULL
    AND (%(subscriptions)s::text[] IS NULL OR i.subscription = ANY(%(subscriptions)s::text[]))
ORDER BY i.customer, m.meter, edge.edge_at
ON CONFLICT DO NOTHING
