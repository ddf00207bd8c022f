-- A person asks that Stripe's books are read now. That moves the reading to the front, and nothing that it must prove.
UPDATE meter_event
SET read_back_at = least(read_back_at, ledger_now())
WHERE meter_event_id = %(meter_event_id)s AND state = 'held'
