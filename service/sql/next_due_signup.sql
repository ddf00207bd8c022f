-- The customer's oldest signup that is due. An older one that backs off holds up those of its own meter alone, which the
-- guard sees to. Of a paused account or a restored ledger there is none, though its holder is in the middle of a turn.
-- The time is asked for once, not of each of the thousands that a customer may have.
SELECT s.signup_id
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
WHERE s.signup_lane_id = %(signup_lane_id)s AND s.state IN ('due', 'unknown', 'held') AND s.due_at <= (SELECT ledger_now())
    AND NOT is_closed('su-' || s.signup_id)
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
    AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter = '*')
ORDER BY s.signup_id
LIMIT 1
