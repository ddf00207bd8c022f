-- The acceptances of one hour that own their minute, for a closer look where the hour's sums differ.
SELECT meter_event_id, minute, value, accepted_at < ledger_now() - %(missing_after)s AS is_overdue
FROM meter_event
WHERE lane_id = %(lane_id)s AND state = 'accepted' AND minute >= %(hour)s AND minute < %(hour)s + interval '1 hour'
ORDER BY minute
