-- Stripe's books cannot tell: the reason says so, after the one for which these are held, and is written once.
UPDATE meter_event AS m
SET reason = r.reason
FROM (
    SELECT
        meter_event_id,
        split_part(reason, '; not read back: ', 1) || '; not read back: ' || %(why)s || '; a person decides' AS reason
    FROM meter_event
    WHERE meter_event_id = ANY(%(meter_event_ids)s)
) AS r
WHERE m.meter_event_id = r.meter_event_id AND m.state = 'held' AND m.reason <> r.reason
