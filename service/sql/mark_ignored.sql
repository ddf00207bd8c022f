-- Kept, because a later version may have an effect for them; not looked at again.
UPDATE event
SET state = 'ignored', due_at = NULL, reason = ignored.reason
FROM unnest(%(event_ids)s::text[], %(reasons)s::text[]) AS ignored (event_id, reason)
WHERE event.account = %(account)s AND event.event_id = ignored.event_id AND event.state = 'received'
