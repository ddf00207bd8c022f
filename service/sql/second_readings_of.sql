-- What Stripe's summaries said later of the hours and minutes in which these meter events are, the first reading first.
SELECT m.meter_event_id, r.start, r.length, r.read_at, r.counted, r.expected, r.verdict
FROM meter_event AS m
JOIN second_reading AS r
    ON (r.lane_id, r.meter_stripe_id, r.formula) = (m.lane_id, m.meter_stripe_id, m.formula)
    AND r.start > m.stamped_at - interval '1 hour' AND r.start <= m.stamped_at AND m.stamped_at < r.start + r.length
WHERE m.meter_event_id = ANY (%(meter_event_ids)s)
ORDER BY r.second_reading_id
LIMIT %(readings_max)s
