-- Whatever became of it, it is applied from the start by the normal path: an effect happens at most once, and the mirrors
-- take the newest word however often an old one is said.
UPDATE event
SET state = 'received', due_at = ledger_now(), failures = 0
WHERE (account, event_id) = (%(account)s, %(event_id)s) AND state <> 'received'
