-- Accepted, and still not in Stripe's summary when no lag can explain it: a person or a read-back decides, not we.
UPDATE meter_event
SET state = 'held', reason = %(reason)s
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'accepted'
