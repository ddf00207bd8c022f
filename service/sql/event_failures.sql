-- Why an event could not be applied, in order.
SELECT n, failed_at, reason
FROM event_failure
WHERE event_id = %(event_id)s
ORDER BY n
