-- A `count` meter counts meter events, so every entry becomes one of its own, at its own time; never aggregated.
WITH due AS (
    SELECT lane_id, bucket
    FROM unsealed
    WHERE lane_id = ANY(%(lane_ids)s)
    GROUP BY lane_id, bucket
    HAVING min(seal_at) <= ledger_now()
    ORDER BY min(seal_at)
    LIMIT %(buckets_max)s
),
placed AS MATERIALIZED (
    SELECT
        nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id,
        e.entry_id, e.lane_id, e.bucket, e.value, date_trunc('second', e.occurred_at) AS stamped_at,
        jsonb_build_object(m.customer_key, l.customer, m.value_key, trim_scale(e.value)::text) AS payload,
        NOT is_subscribed(l.account, l.customer, m.stripe_id) AS is_unbilled
    FROM due
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    JOIN entry AS e USING (lane_id, bucket)
    WHERE m.formula = 'count' AND e.meter_event_id IS NULL
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, bucket, stamped_at, value, entries, payload, is_unbilled, state, due_at)
    SELECT meter_event_id, lane_id, bucket, stamped_at, value, 1, payload, is_unbilled, 'sealed', ledger_now()
    FROM placed
    RETURNING meter_event_id, lane_id, is_unbilled
),
named AS (
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM sealed
),
joined AS (
    UPDATE entry AS e
    SET meter_event_id = p.meter_event_id
    FROM placed AS p
    WHERE e.entry_id = p.entry_id
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM sealed)
)
SELECT count(*) AS meter_events, count(*) FILTER (WHERE is_unbilled) AS unbilled FROM sealed
