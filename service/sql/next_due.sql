-- The lane's oldest meter event that is due. An older one that backs off does not hold up the others.
SELECT meter_event_id
FROM meter_event
WHERE lane_id = %(lane_id)s AND state IN ('sealed', 'unknown') AND due_at <= ledger_now()
ORDER BY meter_event_id
LIMIT 1
