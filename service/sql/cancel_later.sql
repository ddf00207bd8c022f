-- Not cancelled as far as anyone knows: when to call next.
UPDATE surplus
SET due_at = ledger_now() + %(wait)s
WHERE meter_event_id = %(meter_event_id)s AND due_at IS NOT NULL
