-- How many staged rows of a page say exactly what a row of somebody else says under another id: perhaps they were told
-- before. That row is sealed, and found by its meter event, or recorded and waits in its bucket.
SELECT
    count(*) FILTER (WHERE r.standing = 'recorded' AND EXISTS (
        SELECT FROM lane AS l
        CROSS JOIN LATERAL (
            SELECT e.occurred_at, e.value, e.source
            FROM meter_event AS m
            JOIN entry AS e ON e.meter_event_id = m.meter_event_id
            WHERE m.lane_id = l.lane_id AND m.stamped_at >= h.hour AND m.stamped_at < h.hour + interval '1 hour'
                AND m.bucket = h.bucket
            UNION ALL
            SELECT e.occurred_at, e.value, e.source
            FROM entry AS e
            WHERE e.lane_id = l.lane_id AND e.bucket = h.bucket AND e.meter_event_id IS NULL
        ) AS told
        WHERE (l.account, l.customer, l.meter) = (r.account, r.customer, r.meter)
            AND (told.occurred_at, told.value) = (r.occurred_at, r.value) AND told.source <> 'meterpost'
    )) AS rows,
    max(r.place) AS place
FROM (
    SELECT *
    FROM staged_row
    WHERE backfill_id = %(backfill_id)s AND place > %(after)s
    ORDER BY place
    LIMIT %(rows_max)s
) AS r
CROSS JOIN LATERAL (
    SELECT date_bin('1 hour', r.occurred_at, 'epoch') AS hour, date_bin(%(bucket)s, r.occurred_at, 'epoch') AS bucket
) AS h
