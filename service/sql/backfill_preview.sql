-- What closing a backfill would change, by customer, meter, stretch and reason: rows and units, and of each stretch its price
-- and what it has without them. Two statements' worth of sums, because a stretch is summed once and not once a row.
WITH standing AS MATERIALIZED (
    SELECT
        r.account, r.customer, r.meter, r.meter_stripe_id, r.formula, r.standing, r.reason, s.item, s.price, s.starts_at,
        s.ends_at, count(*) AS rows, sum(r.value) AS units, min(r.occurred_at) AS since, max(r.occurred_at) AS until
    FROM staged_row AS r
    LEFT JOIN LATERAL (
        SELECT t.item, t.price, t.starts_at, t.ends_at
        FROM stretch AS t
        WHERE (t.account, t.customer, t.meter_stripe_id) = (r.account, r.customer, r.meter_stripe_id)
            AND t.starts_at <= r.occurred_at AND t.ends_at > r.occurred_at AND NOT t.is_trial AND t.closed_at IS NULL
        ORDER BY t.item
        LIMIT 1
    ) AS s ON r.standing = 'recorded'
    WHERE r.backfill_id = %(backfill_id)s
    GROUP BY
        r.account, r.customer, r.meter, r.meter_stripe_id, r.formula, r.standing, r.reason, s.item, s.price, s.starts_at,
        s.ends_at
)
SELECT
    d.customer, d.meter, d.formula, d.standing, d.reason, d.starts_at IS NOT NULL AS is_billed, d.rows, d.units, d.since,
    d.until, p.object AS price_object, coalesce(u.total, 0) AS total, coalesce(u.entries, 0) AS entries
FROM standing AS d
LEFT JOIN lane AS l ON (l.account, l.customer, l.meter) = (d.account, d.customer, d.meter)
LEFT JOIN mirror AS p ON (p.account, p.kind, p.object_id) = (d.account, 'price', d.price) AND NOT p.is_deleted
LEFT JOIN LATERAL (
    SELECT sum(v.value) AS total, sum(v.entries) AS entries
    FROM (
        SELECT m.value, m.entries
        FROM meter_event AS m
        WHERE m.lane_id = l.lane_id AND m.stamped_at >= d.starts_at AND m.stamped_at < d.ends_at
            AND m.state NOT IN ('refused', 'cancelled')
        UNION ALL
        SELECT e.value, 1
        FROM entry AS e
        WHERE e.lane_id = l.lane_id AND e.meter_event_id IS NULL
            AND e.occurred_at >= d.starts_at AND e.occurred_at < d.ends_at
    ) AS v
) AS u ON d.starts_at IS NOT NULL
ORDER BY d.customer, d.meter, d.standing DESC, d.starts_at, d.reason
