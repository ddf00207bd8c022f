-- In the transaction of the effects: both commit or neither does.
UPDATE event
SET state = 'applied', due_at = NULL, reason = NULL, applied_at = ledger_now()
WHERE account = %(account)s AND event_id = ANY(%(event_ids)s) AND state = 'received'
