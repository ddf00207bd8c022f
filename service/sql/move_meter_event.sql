-- Any decision but an acceptance. The caller holds the lane: an older holder may be telling an old story.
UPDATE meter_event
SET state = %(state)s, reason = %(reason)s, due_at = ledger_now() + %(wait)s
WHERE (meter_event_id, generation) = (%(meter_event_id)s, %(generation)s) AND state IN ('sealed', 'unknown')
