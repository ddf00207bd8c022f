-- Stripe's word and ours cannot both be right: a person decides, and nothing of it is sent any more.
UPDATE meter_event
SET state = 'conflict', reason = %(reason)s, due_at = NULL
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state <> 'conflict'
