-- An event as the desk must know it before it acts; locked, because a worker may be applying it.
SELECT account, event_id, state
FROM event
WHERE event_id = %(event_id)s
FOR UPDATE
