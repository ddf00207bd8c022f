-- What an event changed here, at most once each.
SELECT kind, applied_at
FROM effect
WHERE event_id = %(event_id)s
ORDER BY applied_at, kind
