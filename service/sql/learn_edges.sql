-- The edges at which buckets break: where the stretches of a known meter begin and end. An edge that was once believed
-- stays, since what was sealed by it is; repeating this is harmless: after stretches changed for their subscriptions,
-- after a meter became known for all (subscriptions NULL) whose usage Stripe would still take.
INSERT INTO period_edge (account, customer, meter, edge_at)
SELECT DISTINCT s.account, s.customer, m.meter, edge.edge_at
FROM stretch AS s
JOIN meter AS m ON (m.account, m.stripe_id) = (s.account, s.meter_stripe_id)
CROSS JOIN LATERAL (VALUES (s.starts_at), (s.ends_at)) AS edge (edge_at)
WHERE s.account = %(account)s
    AND (s.subscription = ANY(%(subscriptions)s::text[]) OR (
        %(subscriptions)s::text[] IS NULL AND s.ends_at > ledger_now() - interval '36 days'
    ))
ORDER BY s.customer, m.meter, edge.edge_at
ON CONFLICT DO NOTHING
RETURNING customer, meter, edge_at
