-- Follows put_subscriptions in its transaction, whose locks on the subscriptions order the writers of their items.
INSERT INTO subscription_item
    (account, item, subscription, customer, price, meter_stripe_id, period_start, period_end)
SELECT %(account)s, item, subscription, customer, price, meter_stripe_id, period_start, period_end
FROM unnest(
    %(items)s::text[], %(subscriptions)s::text[], %(customers)s::text[], %(prices)s::text[],
    %(meter_stripe_ids)s::text[], %(period_starts)s::timestamptz[], %(period_ends)s::timestamptz[]
) AS told (item, subscription, customer, price, meter_stripe_id, period_start, period_end)
ORDER BY item
ON CONFLICT (account, item) DO UPDATE
SET subscription = EXCLUDED.subscription,
    customer = EXCLUDED.customer,
    price = EXCLUDED.price,
    meter_stripe_id = EXCLUDED.meter_stripe_id,
    period_start = EXCLUDED.period_start,
    period_end = EXCLUDED.period_end
