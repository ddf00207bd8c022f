-- The buckets of these lanes whose bell has rung, the longest waiting first, as many as have the wanted number of entries
-- together: a transaction that seals too much would run into the statement's timeout, and again at every look.
INSERT INTO due (lane_id, bucket)
SELECT lane_id, bucket
FROM (
    SELECT lane_id, bucket, sum(entries) OVER (ORDER BY seal_at, lane_id, bucket) - entries AS entries_before
    FROM (
        SELECT lane_id, bucket, min(seal_at) AS seal_at
        FROM unsealed
        WHERE lane_id = ANY(%(lane_ids)s)
        GROUP BY lane_id, bucket
        HAVING min(seal_at) <= ledger_now()
        ORDER BY min(seal_at)
        LIMIT %(buckets_max)s
    ) AS rung
    CROSS JOIN LATERAL (
        SELECT count(*) AS entries
        FROM entry AS e
        WHERE (e.lane_id, e.bucket) = (rung.lane_id, rung.bucket) AND e.meter_event_id IS NULL
    ) AS waiting
) AS summed
WHERE entries_before < %(entries_max)s
