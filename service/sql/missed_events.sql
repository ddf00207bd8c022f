-- What was never pushed, of the time in which Stripe could still say so; a push that comes after all takes it off.
SELECT event_id, type, object_id, created_at
FROM event
WHERE account = %(account)s AND deliveries = 0 AND missed_at IS NOT NULL AND created_at > ledger_now() - %(kept)s
ORDER BY created_at DESC, event_id
LIMIT %(events_max)s
