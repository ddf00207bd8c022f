-- A `count` meter counts meter events, so every entry becomes one of its own, at its own time; never aggregated. Bounded,
-- because one bucket may hold any number; what is left has its bell still.
INSERT INTO draft (lane_id, bucket, stamped_at, value, entry_ids)
SELECT lane_id, bucket, date_trunc('second', e.occurred_at), e.value, ARRAY[e.entry_id]
FROM due AS d
JOIN lane AS l USING (lane_id)
JOIN meter AS m USING (account, meter)
JOIN entry AS e USING (lane_id, bucket)
WHERE m.formula = 'count' AND e.meter_event_id IS NULL
    AND NOT EXISTS (SELECT FROM kept_back AS k WHERE k.entry_id = e.entry_id)
ORDER BY e.entry_id
LIMIT %(entries_max)s
