-- Meter events that a boundary divides which was learnt after they were sealed: the units of the entries on the other
-- side of it than the time that Stripe was told, which are on the wrong invoice or on none. Whatever a person corrects
-- of it, or has taken back, ends it, and so does the boundary where it was none.
SELECT
    'me-' || m.meter_event_id AS subject,
    false AS is_urgent,
    l.customer,
    l.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    count(*) AS rows,
    CASE m.formula WHEN 'count' THEN count(*) ELSE sum(e.value) END AS units,
    s.invoice,
    min(e.occurred_at) AS since,
    max(e.occurred_at) AS until,
    NULL::timestamptz AS deadline,
    format(
        'a boundary at %%s UTC was learnt after it was sealed',
        to_char(d.edge_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
    ) AS said
FROM (SELECT meter_event_id, min(edge_at) AS edge_at FROM straddle GROUP BY meter_event_id) AS d
JOIN meter_event AS m USING (meter_event_id)
JOIN lane AS l USING (lane_id)
JOIN entry AS e USING (meter_event_id)
LEFT JOIN LATERAL (
    SELECT item, price, starts_at, invoice
    FROM stretch
    WHERE (account, customer, meter_stripe_id) = (l.account, l.customer, m.meter_stripe_id)
        AND starts_at <= m.stamped_at AND ends_at > m.stamped_at
    ORDER BY item, price
    LIMIT 1
) AS s ON true
WHERE l.account = %(account)s AND m.state NOT IN ('refused', 'cancelled')
    AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
    AND EXISTS (
        SELECT FROM stretch AS b
        WHERE (b.account, b.customer, b.meter_stripe_id) = (l.account, l.customer, m.meter_stripe_id)
            AND d.edge_at IN (b.starts_at, b.ends_at)
    )
    AND NOT EXISTS (SELECT FROM correction AS c WHERE c.meter_event_id = m.meter_event_id)
    AND (e.occurred_at < d.edge_at) <> (m.stamped_at < d.edge_at)
GROUP BY m.meter_event_id, m.formula, l.customer, l.meter, s.item, s.price, s.starts_at, s.invoice, d.edge_at
ORDER BY since, subject
