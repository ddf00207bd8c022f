-- The lane's oldest meter event that is due. An older one that backs off does not hold up the others. Under an open breaker
-- only the trial's lane has one; a lane that a person paused has none any more, though its holder is in the middle of a
-- turn; nor has any of a restored ledger.
SELECT to_send.*
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
JOIN meter_event_now AS to_send USING (meter_event_id)
WHERE m.lane_id = %(lane_id)s AND m.state IN ('sealed', 'unknown') AND m.due_at <= ledger_now()
    AND NOT EXISTS (
        SELECT FROM account AS a
        WHERE a.account = l.account
            AND (a.paused_until > ledger_now() OR a.openings > 0 AND a.trial_lane IS DISTINCT FROM l.lane_id)
    )
    AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
ORDER BY m.meter_event_id
LIMIT 1
