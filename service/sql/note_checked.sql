-- These are about to be read by themselves. Written before the reading: what cannot be read goes to the end of the line
-- as well.
UPDATE meter_event
SET checked_at = ledger_now()
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'accepted'
