-- Stretches with their price and all that is billed in them, or will be: what was stamped in each and what waits to be sealed.
SELECT
    s.item, s.price, s.starts_at, p.object AS price_object, coalesce(u.total, 0) AS total, coalesce(u.entries, 0) AS entries
FROM unnest(%(items)s::text[], %(prices)s::text[], %(starts)s::timestamptz[]) AS w (item, price, starts_at)
JOIN stretch AS s ON (s.account, s.item, s.price, s.starts_at) = (%(account)s, w.item, w.price, w.starts_at)
LEFT JOIN mirror AS p ON (p.account, p.kind, p.object_id) = (s.account, 'price', s.price) AND NOT p.is_deleted
LEFT JOIN meter AS k ON (k.account, k.stripe_id) = (s.account, s.meter_stripe_id)
LEFT JOIN lane AS l ON (l.account, l.customer, l.meter) = (s.account, s.customer, k.meter)
CROSS JOIN LATERAL (
    SELECT sum(v.value) AS total, sum(v.entries) AS entries
    FROM (
        SELECT m.value, m.entries
        FROM meter_event AS m
        WHERE m.lane_id = l.lane_id AND m.stamped_at >= s.starts_at AND m.stamped_at < s.ends_at
            AND m.state NOT IN ('refused', 'cancelled')
        UNION ALL
        SELECT e.value, 1
        FROM entry AS e
        WHERE e.lane_id = l.lane_id AND e.meter_event_id IS NULL
            AND e.occurred_at >= s.starts_at AND e.occurred_at < s.ends_at
    ) AS v
) AS u
