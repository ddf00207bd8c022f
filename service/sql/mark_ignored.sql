-- Kept, because a later version may have an effect for its type; not looked at again.
UPDATE event
SET state = 'ignored', due_at = NULL, reason = %(reason)s
WHERE account = %(account)s AND event_id = ANY(%(event_ids)s) AND state = 'received'
