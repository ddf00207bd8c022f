-- The newest that Stripe told of a thin event.
SELECT body
FROM fetched_event
WHERE (account, event_id) = (%(account)s, %(event_id)s)
ORDER BY fetched_event_id DESC
LIMIT 1
