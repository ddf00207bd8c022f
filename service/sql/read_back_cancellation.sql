-- It may be cancelled: no call is due any more, and Stripe's books tell the rest.
UPDATE surplus
SET due_at = NULL, asked_at = ledger_now(), detail = coalesce(%(said)s, detail)
WHERE meter_event_id = %(meter_event_id)s AND ended_at IS NULL
