-- What sealing goes by, after a mirror of a meter changed. An inactive meter does not displace another of its name. In any
-- case Stripe's list is read again before anything is sealed by it: a word may be older than the list that we know.
INSERT INTO meter
    (account, meter, stripe_id, formula, customer_key, value_key, event_time_window, is_active, read_at)
SELECT
    account, facts ->> 'event_name', object_id, facts ->> 'formula', facts ->> 'customer_key', facts ->> 'value_key',
    facts ->> 'event_time_window', (facts ->> 'is_active')::boolean, '-infinity'
FROM (
    SELECT DISTINCT ON (facts ->> 'event_name') *
    FROM mirror
    WHERE account = %(account)s AND kind = 'billing.meter' AND object_id = ANY(%(object_ids)s)
    ORDER BY facts ->> 'event_name', (facts ->> 'is_active')::boolean DESC, as_of DESC
) AS changed
ORDER BY facts ->> 'event_name'
ON CONFLICT (account, meter) DO UPDATE
SET stripe_id = EXCLUDED.stripe_id,
    formula = EXCLUDED.formula,
    customer_key = EXCLUDED.customer_key,
    value_key = EXCLUDED.value_key,
    event_time_window = EXCLUDED.event_time_window,
    is_active = EXCLUDED.is_active,
    read_at = EXCLUDED.read_at
WHERE EXCLUDED.is_active OR EXCLUDED.stripe_id = meter.stripe_id
