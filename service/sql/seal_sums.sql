-- Entries of a `sum` meter become one meter event per lane, bucket and billing period, each owning a minute in which
-- Stripe's summary shows it alone. Run twice: first a minute is looked for within the bucket (%(reach)s = the bucket,
-- %(may_share)s = false), then for what is left within its hour, sharing the time of the bucket's start where the hour
-- is full. A sum that exceeds Stripe's 15 digits falls back to one meter event an entry. A minute that a period's start
-- cuts belongs to the period before it. Every step carries its columns along instead of joining back: the planner knows
-- nothing of how many rows these steps have, and a join of two of them would compare each with each.
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
    SELECT
        d.*, e.entry_id, e.value, width_bucket(e.occurred_at, d.edges) AS part,
        sum(e.value) OVER (PARTITION BY d.lane_id, d.bucket, width_bucket(e.occurred_at, d.edges)) AS total
    FROM edged AS d
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL
),
chunks AS (
    SELECT
        lane_id, bucket, account, customer, meter, customer_key, value_key, stripe_id,
        greatest(bucket, edges[part]) AS part_start, date_bin(%(reach)s, bucket, 'epoch') AS cell,
        CASE WHEN digits(total) <= 15 THEN 0 ELSE entry_id END AS chunk,
        sum(value) AS value, array_agg(entry_id) AS entry_ids
    FROM members
    GROUP BY lane_id, bucket, account, customer, meter, customer_key, value_key, stripe_id, edges, part, chunk
),
periods AS (
    SELECT c.*, p.period_start, p.period_end
    FROM chunks AS c
    CROSS JOIN LATERAL (
        SELECT
            max(edge_at) FILTER (WHERE edge_at <= c.part_start) AS period_start,
            min(edge_at) FILTER (WHERE edge_at > c.part_start) AS period_end
        FROM period_edge AS e
        WHERE (e.account, e.customer, e.meter) = (c.account, c.customer, c.meter)
    ) AS p
),
numbered AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY lane_id, cell, period_start ORDER BY part_start, chunk)::integer AS n
    FROM periods
),
placed AS MATERIALIZED (
    SELECT
        nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id,
        n.*, free.minutes[n.n] AS minute, n.value <> 0 AS is_sent
    FROM numbered AS n
    CROSS JOIN LATERAL (
        SELECT array_agg(candidate ORDER BY candidate) AS minutes
        FROM generate_series(n.cell, n.cell + %(reach)s - interval '1 minute', interval '1 minute') AS candidate
        WHERE candidate >= coalesce(n.period_start, '-infinity')
            AND candidate < coalesce(n.period_end, 'infinity')
            AND candidate <= ledger_now()
            AND NOT EXISTS (
                SELECT FROM meter_event AS taken WHERE (taken.lane_id, taken.minute) = (n.lane_id, candidate)
            )
    ) AS free
    WHERE %(may_share)s OR free.minutes[n.n] IS NOT NULL
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, bucket, stamped_at, minute, value, entries, payload, is_unbilled, state, reason, due_at,
         confirmed_at)
    SELECT
        meter_event_id, lane_id, bucket, coalesce(minute, part_start), minute, value, cardinality(entry_ids),
        jsonb_build_object(customer_key, customer, value_key, trim_scale(value)::text),
        NOT is_subscribed(account, customer, stripe_id),
        CASE WHEN is_sent THEN 'sealed' ELSE 'confirmed' END,
        CASE WHEN NOT is_sent THEN 'a sum of zero: nothing to report' END,
        CASE WHEN is_sent THEN ledger_now() END,
        CASE WHEN NOT is_sent THEN ledger_now() END
    FROM placed
    RETURNING meter_event_id, lane_id, state, is_unbilled
),
named AS (
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM sealed
),
joined AS (
    UPDATE entry AS e
    SET meter_event_id = p.meter_event_id
    FROM (SELECT meter_event_id, unnest(entry_ids) AS entry_id FROM placed) AS p
    WHERE e.entry_id = p.entry_id
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM sealed WHERE state = 'sealed')
)
SELECT count(*) AS meter_events, count(*) FILTER (WHERE is_unbilled) AS unbilled FROM sealed
