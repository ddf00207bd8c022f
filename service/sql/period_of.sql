-- The stretch that bills a lane at an instant, with its price and all that is billed in it or will be: what was stamped in
-- it and what waits to be sealed. Of several the one that is still open.
SELECT
    s.item, s.price, s.starts_at, s.ends_at, p.object AS price_object,
    coalesce(u.total, 0) AS total, coalesce(u.entries, 0) AS entries
FROM stretch AS s
LEFT JOIN mirror AS p ON (p.account, p.kind, p.object_id) = (s.account, 'price', s.price) AND NOT p.is_deleted
CROSS JOIN LATERAL (
    SELECT sum(v.value) AS total, sum(v.entries) AS entries
    FROM (
        SELECT m.value, m.entries
        FROM meter_event AS m
        WHERE m.lane_id = %(lane_id)s AND m.stamped_at >= s.starts_at AND m.stamped_at < s.ends_at
            AND m.state NOT IN ('refused', 'cancelled') AND NOT is_closed('me-' || m.meter_event_id)
            AND NOT is_being_taken_back(m.meter_event_id)
        UNION ALL
        SELECT e.value, 1
        FROM entry AS e
        WHERE e.lane_id = %(lane_id)s AND e.meter_event_id IS NULL
            AND e.occurred_at >= s.starts_at AND e.occurred_at < s.ends_at
    ) AS v
) AS u
WHERE (s.account, s.customer, s.meter_stripe_id) = (%(account)s, %(customer)s, %(meter_stripe_id)s)
    AND s.starts_at <= %(at)s AND s.ends_at > %(at)s AND NOT s.is_trial
ORDER BY s.closed_at NULLS FIRST, s.item
LIMIT 1
