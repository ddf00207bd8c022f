-- Every call that was made about a meter event, under any identifier, in the order in which they were opened.
SELECT
    meter_event_id, generation, started_at, ended_at, outcome, status, code, detail, request_id, idempotency_key,
    is_replayed
FROM attempt
WHERE meter_event_id = ANY (%(meter_event_ids)s)
ORDER BY attempt_id
LIMIT %(attempts_max)s
