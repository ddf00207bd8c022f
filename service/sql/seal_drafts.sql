-- What all formulas have in common: the meter event with its payload, its identifier before the first call, the entries'
-- membership, the externals that it is, and the bell for submit. Takes the drafts out, so that it can be called after each formula.
WITH drafts AS MATERIALIZED (
    DELETE FROM draft
    RETURNING nextval(pg_get_serial_sequence('meter_event', 'meter_event_id')) AS meter_event_id, draft.*
),
sealed AS (
    INSERT INTO meter_event
        (meter_event_id, lane_id, meter_stripe_id, formula, bucket, stamped_at, minute, value, entries, payload,
         is_unbilled, is_external, state, reason, due_at, accepted_at, confirmed_at)
    SELECT
        d.meter_event_id, d.lane_id, m.stripe_id, m.formula, d.bucket, d.stamped_at, d.minute, d.value,
        cardinality(d.entry_ids),
        jsonb_build_object(m.customer_key, l.customer, m.value_key, trim_scale(d.value)::text),
        NOT is_billed(l.account, l.customer, m.stripe_id, d.stamped_at),
        d.cell IS NOT NULL,
        CASE WHEN d.unsent_reason IS NULL THEN 'sealed' ELSE d.unsent_state END,
        d.unsent_reason,
        CASE WHEN d.unsent_reason IS NULL THEN ledger_now() END,
        CASE WHEN d.cell IS NOT NULL THEN ledger_now() END,
        CASE WHEN d.unsent_reason IS NOT NULL AND d.unsent_state = 'confirmed' THEN ledger_now() END
    FROM drafts AS d
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    RETURNING meter_event_id, lane_id, state, is_unbilled
),
named AS (
    INSERT INTO generation (meter_event_id, generation, identifier)
    SELECT meter_event_id, 1, new_identifier(meter_event_id, 1) FROM sealed
),
joined AS (
    UPDATE entry AS e
    SET meter_event_id = p.meter_event_id
    FROM (SELECT meter_event_id, unnest(entry_ids) AS entry_id FROM drafts) AS p
    WHERE e.entry_id = p.entry_id
),
found AS (
    UPDATE external AS x
    SET meter_event_id = d.meter_event_id
    FROM (SELECT lane_id, cell, min(meter_event_id) AS meter_event_id FROM drafts GROUP BY lane_id, cell) AS d
    WHERE x.lane_id = d.lane_id AND x.minute <@ d.cell AND x.external_id IN (SELECT external_id FROM open_external)
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM sealed WHERE state = 'sealed')
)
SELECT count(*) AS meter_events, count(*) FILTER (WHERE is_unbilled) AS unbilled FROM sealed
