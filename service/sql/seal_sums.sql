-- Entries of a `sum` meter become one meter event per lane, bucket and billing period, each owning a minute in which
-- Stripe's summary shows it alone. Run twice: first a minute is looked for within the bucket (%(reach)s = the bucket,
-- %(may_share)s = false), then for what is left within its hour, sharing the time of the bucket's start where the hour
-- is full. A sum that exceeds Stripe's 15 digits falls back to one meter event an entry. A minute that a period's start
-- cuts belongs to the period before it.
WITH due AS (
    SELECT lane_id, bucket
    FROM unsealed
    WHERE lane_id = ANY(%(lane_ids)s)
    GROUP BY lane_id, bucket
    HAVING min(seal_at) <= ledger_now()
    ORDER BY min(seal_at)
    LIMIT %(buckets_max)s
),
edged AS (
    SELECT
        d.lane_id, d.bucket, l.account, l.customer, l.meter, m.customer_key, m.value_key, m.stripe_id,
        ARRAY(
            SELECT edge_at
            FROM period_edge AS p
            WHERE (p.account, p.customer, p.meter) = (l.account, l.customer, l.meter)
                AND p.edge_at > d.bucket AND p.edge_at < d.bucket + %(bucket)s
            ORDER BY edge_at
        ) AS edges
    FROM due AS d
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    WHERE m.formula = 'sum'
),
members AS (
    SELECT e.entry_id, e.lane_id, e.bucket, e.value, width_bucket(e.occurred_at, d.edges) AS part
    FROM edged AS d
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL
),
totals AS (
    SELECT
        lane_id, bucket, part,
        length(replace(ltrim(trim_scale(abs(sum(value)))::text, '0.'), '.', '')) <= 15 AS fits
    FROM members
    GROUP BY lane_id, bucket, part
),
parts AS (
    SELECT
        t.lane_id, t.bucket, t.part, t.fits, greatest(t.bucket, d.edges[t.part]) AS part_start,
        date_bin(%(reach)s, t.bucket, 'epoch') AS cell,
        (
            SELECT max(edge_at) FROM period_edge AS p
            WHERE (p.account, p.customer, p.meter) = (d.account, d.customer, d.meter)
                AND p.edge_at <= greatest(t.bucket, d.edges[t.part])
        ) AS period_start,
        (
            SELECT min(edge_at) FROM period_edge AS p
            WHERE (p.account, p.customer, p.meter) = (d.account, d.customer, d.meter)
                AND p.edge_at > greatest(t.bucket, d.edges[t.part])
        ) AS period_end
    FROM totals AS t
    JOIN edged AS d USING (lane_id, bucket)
),
free_minutes AS (
    SELECT
        c.lane_id, c.cell, c.period_start, minute,
        row_number() OVER (PARTITION BY c.lane_id, c.cell, c.period_start ORDER BY minute) AS n
    FROM (SELECT DISTINCT lane_id, cell, period_start, period_end FROM parts) AS c
    CROSS JOIN LATERAL generate_series(c.cell, c.cell + %(reach)s - interval '1 minute', interval '1 minute') AS minute
    WHERE minute >= coalesce(c.period_start, '-infinity')
        AND minute < coalesce(c.period_end, 'infinity')
        AND minute <= ledger_now()
        AND NOT EXISTS (SELECT FROM meter_event AS taken WHERE (taken.lane_id, taken.minute) = (c.lane_id, minute))
),
chunks AS (
    SELECT
        p.lane_id, p.bucket, p.part, CASE WHEN p.fits THEN 0 ELSE e.entry_id END AS chunk,
        p.cell, p.period_start, p.part_start, sum(e.value) AS value, count(*) AS entries,
        row_number() OVER (
            PARTITION BY p.lane_id, p.cell, p.period_start
            ORDER BY p.bucket, p.part, CASE WHEN p.fits THEN 0 ELSE e.entry_id END
        ) AS n
    FROM parts AS p
    JOIN members AS e USING (lane_id, bucket, part)
    GROUP BY p.lane_id, p.bucket, p.part, chunk, p.cell, p.period_start, p.part_start
),
placed AS MATERIALIZED (
    SELECT
        nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id,
        c.lane_id, c.bucket, c.part, c.chunk, c.value, c.entries, f.minute, coalesce(f.minute, c.part_start) AS stamped_at
    FROM chunks AS c
    LEFT JOIN free_minutes AS f
        ON f.lane_id = c.lane_id AND f.cell = c.cell AND f.n = c.n
        AND f.period_start IS NOT DISTINCT FROM c.period_start
    WHERE %(may_share)s OR f.minute IS NOT NULL
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, bucket, stamped_at, minute, value, entries, payload, is_unbilled, state, reason, due_at,
         confirmed_at)
    SELECT
        p.meter_event_id, p.lane_id, p.bucket, p.stamped_at, p.minute, p.value, p.entries,
        jsonb_build_object(d.customer_key, d.customer, d.value_key, trim_scale(p.value)::text),
        NOT is_subscribed(d.account, d.customer, d.stripe_id),
        CASE p.value WHEN 0 THEN 'confirmed' ELSE 'sealed' END,
        CASE p.value WHEN 0 THEN 'a sum of zero: nothing to report' END,
        CASE p.value WHEN 0 THEN NULL ELSE ledger_now() END,
        CASE p.value WHEN 0 THEN ledger_now() END
    FROM placed AS p
    JOIN edged AS d USING (lane_id, bucket)
    RETURNING meter_event_id, lane_id, state, is_unbilled
),
named AS (
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM sealed
),
joined AS (
    UPDATE entry AS e
    SET meter_event_id = p.meter_event_id
    FROM members AS m
    JOIN parts USING (lane_id, bucket, part)
    JOIN placed AS p
        ON p.lane_id = m.lane_id AND p.bucket = m.bucket AND p.part = m.part
        AND p.chunk = CASE WHEN parts.fits THEN 0 ELSE m.entry_id END
    WHERE e.entry_id = m.entry_id
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM sealed WHERE state = 'sealed')
)
SELECT count(*) AS meter_events, count(*) FILTER (WHERE is_unbilled) AS unbilled FROM sealed
