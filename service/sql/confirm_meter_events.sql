-- Stripe's books agree with ours.
UPDATE meter_event
SET state = 'confirmed', confirmed_at = ledger_now()
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'accepted'
