-- How many staged rows say exactly what a row of somebody else says under another id: perhaps they were told before.
SELECT count(*) AS rows
FROM staged_row AS r
JOIN lane AS l USING (account, customer, meter)
CROSS JOIN LATERAL (SELECT date_bin('1 hour', r.occurred_at, 'epoch') AS hour) AS h
WHERE r.backfill_id = %(backfill_id)s AND r.standing = 'recorded' AND EXISTS (
    SELECT FROM meter_event AS m
    JOIN entry AS e ON e.meter_event_id = m.meter_event_id
    WHERE m.lane_id = l.lane_id AND m.stamped_at >= h.hour AND m.stamped_at < h.hour + interval '1 hour'
        AND m.bucket = date_bin(%(bucket)s, r.occurred_at, 'epoch')
        AND (e.occurred_at, e.value) = (r.occurred_at, r.value) AND e.source <> 'meterpost'
)
