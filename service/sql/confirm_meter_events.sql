-- Stripe's books agree with ours. A difference that was noted before is gone.
UPDATE meter_event
SET state = 'confirmed', reason = NULL, confirmed_at = ledger_now()
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'accepted'
