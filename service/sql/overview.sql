-- What stands where, one line a step and state, with the time since which the oldest of it has stood there. Counts of
-- what is done come from the books that every intake closes, not from the rows, of which there may be many millions.
SELECT 'record' AS step, 'recorded' AS state, coalesce(sum(recorded), 0)::bigint AS count, NULL::timestamptz AS since
FROM intake
UNION ALL
SELECT 'record', 'duplicate', coalesce(sum(duplicates), 0)::bigint, NULL
FROM intake
UNION ALL
SELECT 'record', 'quarantined', count(*), min(recorded_at)
FROM quarantine
JOIN intake USING (intake_id)
UNION ALL
SELECT 'record', 'conflict', count(*), min(recorded_at)
FROM row_conflict
JOIN intake USING (intake_id)
UNION ALL
SELECT 'seal', 'unsealed', count(*), min(recorded_at)
FROM entry
JOIN intake USING (intake_id)
WHERE meter_event_id IS NULL
UNION ALL
SELECT CASE state WHEN 'accepted' THEN 'reconcile' WHEN 'confirmed' THEN 'reconcile' ELSE 'submit' END,
    state, count(*), CASE WHEN state <> 'confirmed' THEN min(coalesce(accepted_at, sealed_at)) END
FROM meter_event
GROUP BY state
UNION ALL
SELECT 'apply', state, count(*), CASE WHEN state IN ('received', 'failed') THEN min(received_at) END
FROM event
GROUP BY state
