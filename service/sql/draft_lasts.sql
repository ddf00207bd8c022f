-- A `last` meter keeps its latest value: one meter event per lane, bucket and billing period, carrying the last entry at
-- its own time. What came too late to be the last of its bucket is on the books and not sent; the entries decide, because
-- a meter event's time has lost the fractions of its second.
WITH members AS (
    SELECT
        d.lane_id, d.bucket, edges, e.entry_id, e.value, e.occurred_at,
        width_bucket(e.occurred_at, edges) AS part
    FROM due AS d
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    CROSS JOIN LATERAL edges_within(l.account, l.customer, l.meter, d.bucket, %(bucket)s) AS edges
    JOIN entry AS e USING (lane_id, bucket)
    WHERE m.formula = 'last' AND e.meter_event_id IS NULL
        AND NOT EXISTS (SELECT FROM kept_back AS k WHERE k.entry_id = e.entry_id)
),
lasts AS (
    SELECT
        lane_id, bucket, edges, part, max(occurred_at) AS last_at,
        (array_agg(value ORDER BY occurred_at DESC, entry_id DESC))[1] AS value, array_agg(entry_id) AS entry_ids
    FROM members
    GROUP BY lane_id, bucket, edges, part
)
INSERT INTO draft (lane_id, bucket, stamped_at, value, entry_ids, unsent_reason)
SELECT
    t.lane_id, t.bucket, date_trunc('second', t.last_at), t.value, t.entry_ids,
    CASE
        WHEN EXISTS (
            SELECT FROM meter_event AS newer
            JOIN entry AS later USING (meter_event_id)
            WHERE newer.lane_id = t.lane_id AND newer.bucket = t.bucket
                AND newer.stamped_at >= date_trunc('second', t.last_at) AND later.occurred_at > t.last_at
                AND width_bucket(later.occurred_at, t.edges) = t.part
        ) THEN 'superseded: a later value of its bucket was reported'
    END
FROM lasts AS t
