-- A `last` meter keeps its latest value: one meter event per lane, bucket and billing period, carrying the last entry at
-- its own time. What came too late to be the last of its bucket is on the books and not sent.
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
        d.lane_id, d.bucket, l.account, l.customer, m.customer_key, m.value_key, m.stripe_id,
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
    WHERE m.formula = 'last'
),
members AS (
    SELECT e.entry_id, e.lane_id, e.bucket, e.value, e.occurred_at, width_bucket(e.occurred_at, d.edges) AS part
    FROM edged AS d
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL
),
lasts AS (
    SELECT DISTINCT ON (lane_id, bucket, part)
        lane_id, bucket, part, value, date_trunc('second', occurred_at) AS stamped_at,
        count(*) OVER (PARTITION BY lane_id, bucket, part) AS entries
    FROM members
    ORDER BY lane_id, bucket, part, occurred_at DESC, entry_id DESC
),
placed AS MATERIALIZED (
    SELECT
        nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id, t.*,
        EXISTS (
            SELECT FROM meter_event AS newer
            WHERE newer.lane_id = t.lane_id AND newer.bucket = t.bucket AND newer.stamped_at > t.stamped_at
                AND width_bucket(newer.stamped_at, d.edges) = t.part
        ) AS is_superseded,
        jsonb_build_object(d.customer_key, d.customer, d.value_key, trim_scale(t.value)::text) AS payload,
        NOT is_subscribed(d.account, d.customer, d.stripe_id) AS is_unbilled
    FROM lasts AS t
    JOIN edged AS d USING (lane_id, bucket)
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, bucket, stamped_at, value, entries, payload, is_unbilled, state, reason, due_at,
         confirmed_at)
    SELECT
        meter_event_id, lane_id, bucket, stamped_at, value, entries, payload, is_unbilled,
        CASE WHEN is_superseded THEN 'confirmed' ELSE 'sealed' END,
        CASE WHEN is_superseded THEN 'superseded: a later value of its bucket was reported' END,
        CASE WHEN is_superseded THEN NULL ELSE ledger_now() END,
        CASE WHEN is_superseded THEN ledger_now() END
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
    FROM members AS m
    JOIN placed AS p USING (lane_id, bucket, part)
    WHERE e.entry_id = m.entry_id
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM sealed WHERE state = 'sealed')
)
SELECT count(*) AS meter_events, count(*) FILTER (WHERE is_unbilled) AS unbilled FROM sealed
