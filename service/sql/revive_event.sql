-- A failed event is tried from the start again: an effect happens at most once however often it is tried.
UPDATE event
SET state = 'received', due_at = ledger_now(), failures = 0
WHERE (account, event_id) = (%(account)s, %(event_id)s) AND state = 'failed'
