-- What stands where, one line a step and state, with the time since which the oldest of it has stood there. Counts of
-- what is done come from the books that every intake closes, not from the rows, of which there may be many millions.
-- What a person discarded waits for nobody, and is counted as that.
SELECT 'record' AS step, 'recorded' AS state, coalesce(sum(recorded), 0)::bigint AS count, NULL::timestamptz AS since
FROM intake
UNION ALL
SELECT 'record', 'duplicate', coalesce(sum(duplicates), 0)::bigint, NULL
FROM intake
UNION ALL
SELECT 'record', 'quarantined', count(*), min(recorded_at)
FROM quarantine
JOIN intake USING (intake_id)
WHERE NOT is_closed('q-' || quarantine_id)
UNION ALL
SELECT 'record', 'conflict', count(*), min(recorded_at)
FROM row_conflict
JOIN intake USING (intake_id)
WHERE NOT is_closed('rc-' || conflict_id)
UNION ALL
SELECT 'seal', 'unsealed', count(*), min(recorded_at)
FROM entry
JOIN intake USING (intake_id)
WHERE meter_event_id IS NULL
UNION ALL
SELECT 'seal', 'external', count(*), min(found_at)
FROM open_external
UNION ALL
SELECT CASE WHEN state IN ('accepted', 'confirmed', 'cancelled') THEN 'reconcile' ELSE 'submit' END,
    state, count(*), CASE WHEN state NOT IN ('confirmed', 'cancelled') THEN min(coalesce(stands_since, accepted_at, sealed_at)) END
FROM meter_event
WHERE state NOT IN ('refused', 'held', 'conflict') OR NOT is_closed('me-' || meter_event_id)
GROUP BY state
UNION ALL
SELECT 'subscribe', state, count(*), CASE WHEN state NOT IN ('created', 'replaced') THEN min(stands_since) END
FROM signup
WHERE state NOT IN ('refused', 'blocked', 'held', 'conflict') OR NOT is_closed('su-' || signup_id)
GROUP BY state
UNION ALL
SELECT 'receive', 'refused today', coalesce(sum(requests), 0)::bigint, NULL
FROM stranger
WHERE hour >= date_trunc('day', ledger_now(), 'UTC')
UNION ALL
SELECT 'receive', 'refused yesterday', coalesce(sum(requests), 0)::bigint, NULL
FROM stranger
WHERE hour >= date_trunc('day', ledger_now(), 'UTC') - interval '1 day'
    AND hour < date_trunc('day', ledger_now(), 'UTC')
UNION ALL
SELECT 'receive', 'missed', count(*), min(missed_at)
FROM event
WHERE deliveries = 0 AND missed_at IS NOT NULL AND created_at > ledger_now() - interval '30 days'
UNION ALL
SELECT 'apply', state, count(*), CASE WHEN state IN ('received', 'failed') THEN min(received_at) END
FROM event
WHERE state <> 'failed' OR NOT is_closed('ev-' || event_id)
GROUP BY state
UNION ALL
SELECT 'desk', 'discarded', count(*), NULL
FROM operator_action
WHERE state_after = 'discarded'
