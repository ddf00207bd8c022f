-- What late usage of which nobody has decided would cost, and where: in each stretch that missed it, and in the one that
-- bills now, where it may be carried to. With each its price and all that it bills with this usage, which of the missed
-- one is part of what was stamped in it, as an alarm has it, and comes on top of what is used now.
WITH late AS MATERIALIZED (
    SELECT *
    FROM late_meter_event
    WHERE account = %(account)s
        AND CASE
            WHEN %(meter_event_id)s::bigint IS NOT NULL THEN meter_event_id = %(meter_event_id)s
            ELSE (invoice, customer, meter) = (%(invoice)s::text, %(customer)s::text, %(meter)s::text)
        END
    ORDER BY stamped_at, meter_event_id
    LIMIT %(meter_events_max)s
),
wanted AS (
    SELECT
        false AS is_now, lane_id, min(meter) AS meter, min(formula) AS formula, account, item, price,
        stretch_start AS starts_at, sum(units) AS units, count(*) AS entries, min(stamped_at) AS since,
        max(stamped_at) AS until
    FROM late
    GROUP BY lane_id, account, item, price, stretch_start
    UNION ALL
    SELECT
        true, l.lane_id, l.meter, l.formula, l.account, n.item, n.price, n.starts_at, l.units, l.entries, NULL, NULL
    FROM (
        SELECT
            lane_id, account, customer, meter_stripe_id, min(meter) AS meter, min(formula) AS formula,
            sum(units) AS units, count(*) AS entries
        FROM late
        GROUP BY lane_id, account, customer, meter_stripe_id
    ) AS l
    CROSS JOIN LATERAL (
        SELECT s.item, s.price, s.starts_at
        FROM stretch AS s
        WHERE (s.account, s.customer, s.meter_stripe_id) = (l.account, l.customer, l.meter_stripe_id)
            AND s.starts_at <= ledger_now() AND s.ends_at > ledger_now() AND NOT s.is_trial AND s.closed_at IS NULL
        ORDER BY s.item
        LIMIT 1
    ) AS n
)
SELECT
    w.is_now, w.meter, w.formula, w.units, w.price, p.object AS price_object,
    coalesce(u.total, 0) + CASE WHEN w.is_now THEN w.units ELSE 0 END AS total,
    coalesce(u.entries, 0) + CASE WHEN w.is_now THEN w.entries ELSE 0 END AS entries,
    u.newest, u.newest_without
FROM wanted AS w
JOIN stretch AS s USING (account, item, price, starts_at)
LEFT JOIN mirror AS p ON (p.account, p.kind, p.object_id) = (w.account, 'price', w.price) AND NOT p.is_deleted
CROSS JOIN LATERAL (
    SELECT
        sum(v.value) AS total, sum(v.entries)::bigint AS entries,
        (array_agg(v.value ORDER BY v.at DESC, v.place DESC))[1] AS newest,
        (array_agg(v.value ORDER BY v.at DESC, v.place DESC) FILTER (WHERE v.at < w.since OR v.at > w.until))[1]
            AS newest_without
    FROM (
        SELECT e.value, e.entries, e.stamped_at AS at, e.meter_event_id AS place
        FROM meter_event AS e
        WHERE e.lane_id = w.lane_id AND e.stamped_at >= s.starts_at AND e.stamped_at < s.ends_at
            AND e.state <> 'cancelled'
            AND (e.state NOT IN ('refused', 'held', 'conflict') OR NOT is_closed('me-' || e.meter_event_id))
        UNION ALL
        SELECT e.value, 1, e.occurred_at, e.entry_id
        FROM entry AS e
        WHERE e.lane_id = w.lane_id AND e.meter_event_id IS NULL
            AND e.occurred_at >= s.starts_at AND e.occurred_at < s.ends_at
    ) AS v
) AS u
ORDER BY w.is_now, w.starts_at, w.item
