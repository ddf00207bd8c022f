-- What Stripe's summary of the minute said, for each held meter event of it.
INSERT INTO reading
    (meter_event_id, generation, minute, read_at, counted, settled, expected, verdict, canary_id)
SELECT
    meter_event_id, generation, %(minute)s, %(read_at)s, %(counted)s, %(settled)s, %(expected)s, %(verdict)s,
    %(canary_id)s
FROM meter_event
WHERE meter_event_id = ANY(%(meter_event_ids)s)
