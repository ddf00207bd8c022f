-- Proven absent, and not to be sent again: no attempt can have counted, and a person decides.
UPDATE meter_event
SET state = 'refused', reason = %(reason)s
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'held'
