-- Every call that asked Stripe to cancel a copy too many of these meter events, in the order in which they were opened.
SELECT
    meter_event_id, generation, identifier, idempotency_key, started_at, ended_at, outcome, status, code, detail,
    request_id, is_replayed
FROM cancellation
WHERE meter_event_id = ANY (%(meter_event_ids)s)
ORDER BY cancellation_id
