-- What open alarms are to be worth: those with new figures, those whose stretch has moved on for a while, and those without
-- money, because a price may be known by now. With each its price, and of the stretch that it names everything that is
-- billed or should be: what was stamped in it, what waits to be sealed, and what it lacks because that was stamped where
-- nothing bills; but for what a person took back. Of a `last` meter the alarm's own usage is what lies between its first
-- and its last time.
WITH due AS (
    SELECT *
    FROM alarm
    WHERE account = %(account)s AND kind = %(kind)s AND cleared_at IS NULL AND meter IS NOT NULL
        AND (
            rated_at IS NULL
            OR rated_at <= ledger_now() - CASE WHEN amount IS NULL THEN %(unrated_wait)s ELSE %(again)s END
        )
    ORDER BY rated_at NULLS FIRST, is_urgent DESC, alarm_id
    LIMIT %(alarms_max)s
)
SELECT
    d.alarm_id, d.meter, coalesce(m.formula, 'sum') AS formula, d.units, coalesce(d.price, sole.price) AS price,
    p.object AS price_object, s.starts_at IS NOT NULL AS has_stretch, coalesce(u.total, 0) AS total,
    coalesce(u.entries, 0) AS entries, u.newest, u.newest_without
FROM due AS d
LEFT JOIN meter AS m ON (m.account, m.meter) = (d.account, d.meter)
LEFT JOIN stretch AS s
    ON (s.account, s.item, s.price, s.starts_at) = (d.account, d.item, d.price, d.stretch_start)
LEFT JOIN LATERAL (
    SELECT min(o.price) AS price
    FROM price AS o
    WHERE o.account = d.account AND o.meter_stripe_id = m.stripe_id AND o.usage_type = 'metered' AND o.is_active
        AND NOT o.is_deleted
    HAVING count(*) = 1
) AS sole ON d.price IS NULL
LEFT JOIN mirror AS p
    ON (p.account, p.kind, p.object_id) = (d.account, 'price', coalesce(d.price, sole.price)) AND NOT p.is_deleted
LEFT JOIN lane AS l ON (l.account, l.customer, l.meter) = (d.account, d.customer, d.meter)
LEFT JOIN LATERAL (
    SELECT
        sum(v.value) AS total, sum(v.entries) AS entries,
        (array_agg(v.value ORDER BY v.at DESC, v.place DESC))[1] AS newest,
        (array_agg(v.value ORDER BY v.at DESC, v.place DESC) FILTER (WHERE v.at < d.since OR v.at > d.until))[1]
            AS newest_without
    FROM (
        SELECT e.value, e.entries, e.stamped_at AS at, e.meter_event_id AS place
        FROM meter_event AS e
        WHERE e.lane_id = l.lane_id AND e.stamped_at >= s.starts_at AND e.stamped_at < s.ends_at
            AND e.state <> 'cancelled'
            AND (e.state NOT IN ('refused', 'held', 'conflict') OR NOT is_closed('me-' || e.meter_event_id))
        UNION ALL
        SELECT e.value, 1, e.occurred_at, e.entry_id
        FROM entry AS e
        WHERE e.lane_id = l.lane_id AND e.meter_event_id IS NULL
            AND e.occurred_at >= s.starts_at AND e.occurred_at < s.ends_at
        UNION ALL
        SELECT e.value, 1, e.occurred_at, e.entry_id
        FROM straddling_entry AS e
        WHERE e.is_missing AND e.lane_id = l.lane_id
            AND (e.item, e.price, e.stretch_start) = (s.item, s.price, s.starts_at)
    ) AS v
) AS u ON s.starts_at IS NOT NULL
ORDER BY d.alarm_id
