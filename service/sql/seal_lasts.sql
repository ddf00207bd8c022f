-- A `last` meter keeps its latest value: one meter event per lane, bucket and billing period, carrying the last entry at
-- its own time. What came too late to be the last of its bucket is on the books and not sent; entries are compared and
-- not the meter events' times, because those are whole seconds and of one second Stripe keeps what it heard last.
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
    SELECT d.*, e.entry_id, e.value, e.occurred_at, width_bucket(e.occurred_at, d.edges) AS part
    FROM edged AS d
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL
),
lasts AS (
    SELECT
        lane_id, bucket, account, customer, customer_key, value_key, stripe_id, edges, part,
        (array_agg(value ORDER BY occurred_at DESC, entry_id DESC))[1] AS value,
        max(occurred_at) AS last_at, array_agg(entry_id) AS entry_ids
    FROM members
    GROUP BY lane_id, bucket, account, customer, customer_key, value_key, stripe_id, edges, part
),
placed AS MATERIALIZED (
    SELECT
        nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id, t.*,
        date_trunc('second', t.last_at) AS stamped_at,
        NOT EXISTS (
            SELECT FROM meter_event AS newer
            JOIN entry AS later USING (meter_event_id)
            WHERE newer.lane_id = t.lane_id AND newer.bucket = t.bucket
                AND newer.stamped_at >= date_trunc('second', t.last_at) AND later.occurred_at > t.last_at
                AND width_bucket(later.occurred_at, t.edges) = t.part
        ) AS is_sent
    FROM lasts AS t
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, bucket, stamped_at, value, entries, payload, is_unbilled, state, reason, due_at,
         confirmed_at)
    SELECT
        meter_event_id, lane_id, bucket, stamped_at, value, cardinality(entry_ids),
        jsonb_build_object(customer_key, customer, value_key, trim_scale(value)::text),
        NOT is_subscribed(account, customer, stripe_id),
        CASE WHEN is_sent THEN 'sealed' ELSE 'confirmed' END,
        CASE WHEN NOT is_sent THEN 'superseded: a later value of its bucket was reported' END,
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
