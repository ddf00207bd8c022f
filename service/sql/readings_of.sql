-- What Stripe's books said of a meter event, the first reading first.
SELECT generation, minute, read_at, counted, settled, expected, verdict, canary_id
FROM reading
WHERE meter_event_id = %(meter_event_id)s
ORDER BY reading_id
LIMIT %(readings_max)s
