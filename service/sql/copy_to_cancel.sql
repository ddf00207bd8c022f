-- The lane's copy too many whose cancellation is due, the one that Stripe lets go soonest first; or one named. Where nothing
-- may be sent, only those for which it is too late are due: no call is made for them, and what stands open is decided.
SELECT
    s.meter_event_id, s.generation, m.lane_id, l.account, l.meter, g.identifier, s.cancel_until, s.due_at,
    s.correction_id, m.formula, ledger_now() AS now
FROM surplus AS s
JOIN meter_event AS m USING (meter_event_id)
JOIN lane AS l USING (lane_id)
JOIN generation AS g ON (g.meter_event_id, g.generation) = (s.meter_event_id, s.generation)
WHERE m.lane_id = %(lane_id)s AND s.ended_at IS NULL
    AND CASE
        WHEN %(meter_event_id)s::bigint IS NULL THEN s.due_at <= ledger_now() AND (
            s.cancel_until <= ledger_now() OR NOT EXISTS (
                SELECT FROM account AS a
                WHERE a.account = l.account AND (a.openings > 0 OR a.paused_until > ledger_now())
            ) AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
        )
        ELSE s.meter_event_id = %(meter_event_id)s
    END
ORDER BY s.cancel_until, s.meter_event_id
LIMIT 1
