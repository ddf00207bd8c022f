-- Stripe's books, or its refusal, say what became of the copies too many of these meter events.
UPDATE surplus
SET due_at = NULL, ended_at = ledger_now(), ending = %(ending)s
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND ended_at IS NULL
