-- What Stripe's books said of meter events that were held, the first reading first.
SELECT meter_event_id, generation, minute, read_at, counted, settled, expected, verdict, canary_id
FROM reading
WHERE meter_event_id = ANY (%(meter_event_ids)s)
ORDER BY reading_id
LIMIT %(readings_max)s
