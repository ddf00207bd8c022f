-- The hours of these meter events are read again: at their next turn after this reading of theirs, or so soon. A `last`
-- meter's are not: its figure shows no single meter event. In the order of the key, so that two who do this do not wait
-- in a ring.
INSERT INTO confirmed_hour AS h (lane_id, meter_stripe_id, formula, hour, accepted_at, read_at, due_at)
SELECT
    lane_id, meter_stripe_id, formula, date_bin('1 hour', stamped_at, 'epoch') AS hour,
    max(coalesce(accepted_at, ledger_now())), ledger_now(),
    coalesce(
        ledger_now() + %(wait)s::interval,
        next_second_reading(max(coalesce(accepted_at, ledger_now())), ledger_now(), %(readings)s)
    )
FROM meter_event
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND formula <> 'last'
GROUP BY lane_id, meter_stripe_id, formula, date_bin('1 hour', stamped_at, 'epoch')
ORDER BY lane_id, meter_stripe_id, formula, hour
ON CONFLICT (lane_id, meter_stripe_id, formula, hour) DO UPDATE
SET accepted_at = greatest(h.accepted_at, EXCLUDED.accepted_at), due_at = least(h.due_at, EXCLUDED.due_at)
