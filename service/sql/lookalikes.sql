-- How many staged rows of a page say exactly what a row of somebody else says under another id: perhaps they were told before.
SELECT
    count(*) FILTER (WHERE r.standing = 'recorded' AND EXISTS (
        SELECT FROM lane AS l
        JOIN meter_event AS m USING (lane_id)
        JOIN entry AS e ON e.meter_event_id = m.meter_event_id
        WHERE (l.account, l.customer, l.meter) = (r.account, r.customer, r.meter)
            AND m.stamped_at >= h.hour AND m.stamped_at < h.hour + interval '1 hour'
            AND m.bucket = date_bin(%(bucket)s, r.occurred_at, 'epoch')
            AND (e.occurred_at, e.value) = (r.occurred_at, r.value) AND e.source <> 'meterpost'
    )) AS rows,
    max(r.place) AS place
FROM (
    SELECT *
    FROM staged_row
    WHERE backfill_id = %(backfill_id)s AND place > %(after)s
    ORDER BY place
    LIMIT %(rows_max)s
) AS r
CROSS JOIN LATERAL (SELECT date_bin('1 hour', r.occurred_at, 'epoch') AS hour) AS h
