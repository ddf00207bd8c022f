-- The lane's oldest meter event that is due. An older one that backs off does not hold up the others; a paused account
-- has none, and a lane that a person paused has none any more, though its holder is in the middle of a turn.
SELECT m.meter_event_id
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE m.lane_id = %(lane_id)s AND m.state IN ('sealed', 'unknown') AND m.due_at <= ledger_now()
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
    AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
ORDER BY m.meter_event_id
LIMIT 1
