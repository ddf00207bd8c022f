-- What is reported against the rows behind it. A `count` meter event says what its one entry says, a `last` one what one
-- of its entries says.
SELECT 'me-' || m.meter_event_id AS subject,
    format(
        'it says %%s of %%s entries in lane %%s, which say %%s of %%s in lanes %%s to %%s',
        trim_scale(m.value), m.entries, m.lane_id, trim_scale(e.total), e.entries, e.lane_least, e.lane_most
    ) AS said
FROM meter_event AS m
LEFT JOIN (
    SELECT meter_event_id, sum(value) AS total, array_agg(value) AS said, count(*) AS entries,
        min(lane_id) AS lane_least, max(lane_id) AS lane_most, min(bucket) AS bucket_least, max(bucket) AS bucket_most
    FROM entry
    WHERE meter_event_id IS NOT NULL
    GROUP BY meter_event_id
) AS e USING (meter_event_id)
WHERE e.entries IS DISTINCT FROM m.entries
    OR (m.lane_id, m.lane_id, m.bucket, m.bucket) <> (e.lane_least, e.lane_most, e.bucket_least, e.bucket_most)
    OR CASE m.formula WHEN 'last' THEN m.value <> ALL (e.said) ELSE m.value <> e.total END
ORDER BY m.meter_event_id
LIMIT %(breaches_max)s
