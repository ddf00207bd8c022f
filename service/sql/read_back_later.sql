-- These stay held: when to read them again.
UPDATE meter_event
SET read_back_at = ledger_now() + %(wait)s
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'held'
