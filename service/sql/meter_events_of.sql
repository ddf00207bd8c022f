-- The meter events that these entries became, as they stand now.
SELECT
    meter_event_id, value, entries, stamped_at, state, reason, due_at, is_unbilled, generation, sealed_at, accepted_at,
    confirmed_at
FROM meter_event
WHERE meter_event_id = ANY (%(meter_event_ids)s)
