-- Usage whose invoice was final before Stripe had it, one line an invoice and lane. A person carries it into the open period
-- or waives it; nothing else ends it, and nothing is urgent about it: no time runs out. What waited or was in doubt when
-- its invoice became final is late from then on, though it can be decided about only once Stripe has it or will never
-- have it: where nothing is sent, that may take days. It is found by the stretches whose invoice has not what was sealed.
WITH late AS (
    SELECT
        customer, meter, formula, item, price, stretch_start, invoice, closed_at, entries AS rows, units,
        stamped_at AS at, meter_event_id AS place, false AS is_waiting, false AS is_in_doubt
    FROM late_meter_event
    WHERE account = %(account)s
    UNION ALL
    SELECT
        l.customer, l.meter, m.formula, c.item, c.price, c.starts_at, c.invoice, c.closed_at, m.entries,
        CASE m.formula WHEN 'count' THEN 1 ELSE m.value END,
        m.stamped_at, m.meter_event_id, m.state = 'sealed', m.state <> 'sealed'
    FROM stretch AS s
    JOIN lane AS l USING (account, customer)
    JOIN meter_event AS m
        ON (m.lane_id, m.meter_stripe_id) = (l.lane_id, s.meter_stripe_id)
        AND m.stamped_at >= s.starts_at AND m.stamped_at < s.ends_at
    CROSS JOIN LATERAL closed_without(l.account, l.customer, m) AS c
    WHERE s.account = %(account)s AND s.billed IS DISTINCT FROM s.reported AND s.closed_at IS NOT NULL
        AND m.state IN ('sealed', 'unknown', 'held', 'conflict')
        AND (c.item, c.price, c.starts_at) = (s.item, s.price, s.starts_at)
    UNION ALL
    SELECT
        l.customer, l.meter, k.formula, c.item, c.price, c.starts_at, c.invoice, c.closed_at, 1,
        CASE k.formula WHEN 'count' THEN 1 ELSE e.value END,
        e.occurred_at, e.entry_id, true, false
    FROM (SELECT lane_id, bucket FROM unsealed GROUP BY lane_id, bucket) AS u
    JOIN lane AS l USING (lane_id)
    JOIN meter AS k USING (account, meter)
    JOIN stretch AS s
        ON (s.account, s.customer, s.meter_stripe_id) = (l.account, l.customer, k.stripe_id)
        AND s.starts_at < u.bucket + interval '1 hour' AND s.ends_at > u.bucket
        AND s.closed_at IS NOT NULL AND NOT s.is_trial
    JOIN entry AS e
        ON (e.lane_id, e.bucket) = (u.lane_id, u.bucket)
        AND e.occurred_at >= s.starts_at AND e.occurred_at < s.ends_at
    CROSS JOIN LATERAL closing_of(l.account, l.customer, k.stripe_id, e.occurred_at) AS c
    WHERE l.account = %(account)s AND e.meter_event_id IS NULL
        AND (c.item, c.price, c.starts_at) = (s.item, s.price, s.starts_at)
)
SELECT
    concat_ws('/', invoice, customer, meter) AS subject,
    false AS is_urgent,
    customer,
    meter,
    min(item) AS item,
    min(price) AS price,
    min(stretch_start) AS stretch_start,
    sum(rows)::bigint AS rows,
    CASE WHEN bool_or(formula = 'last') THEN (array_agg(units ORDER BY at DESC, place DESC))[1] ELSE sum(units) END
        AS units,
    invoice,
    min(at) AS since,
    max(at) AS until,
    NULL::timestamptz AS deadline,
    format(
        'the invoice %%s of %%s was final at %%s UTC, and does not have it', invoice, customer,
        to_char(max(closed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    ) || CASE WHEN bool_or(is_waiting OR is_in_doubt) THEN format(
        '; of its rows %%s wait to be sent and %%s may or may not be at Stripe: carry or waive them once that is decided',
        coalesce(sum(rows) FILTER (WHERE is_waiting), 0), coalesce(sum(rows) FILTER (WHERE is_in_doubt), 0)
    ) ELSE '' END AS said
FROM late
GROUP BY invoice, customer, meter
HAVING NOT bool_and(is_waiting) OR sum(units) <> 0
ORDER BY min(closed_at), subject
