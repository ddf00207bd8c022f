-- Before an effect: of two holders of one claim the second waits here, and then finds the event closed. Ordered by key,
-- so that two of them cannot wait for each other.
SELECT event_id
FROM event
WHERE account = %(account)s AND event_id = ANY(%(event_ids)s) AND state = 'received'
ORDER BY event_id
FOR UPDATE
