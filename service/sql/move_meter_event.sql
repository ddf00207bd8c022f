-- Anything but an acceptance counts only from the lane's present holder; an older one may be telling an old story.
UPDATE meter_event AS m
SET state = %(state)s, reason = %(reason)s, due_at = ledger_now() + %(wait)s
FROM lane AS l
WHERE (m.meter_event_id, m.generation) = (%(meter_event_id)s, %(generation)s) AND m.state IN ('sealed', 'unknown')
    AND l.lane_id = m.lane_id AND l.fence = %(fence)s
