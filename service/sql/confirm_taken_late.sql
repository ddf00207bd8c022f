-- Stripe took them under an identifier that had been given up, and its books show each once: they count.
UPDATE meter_event
SET state = 'confirmed', reason = NULL, confirmed_at = ledger_now(), accepted_at = coalesce(accepted_at, ledger_now())
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'conflict'
