-- What is to be told and was not written down yet. What was raised: whatever is open, so that a receiver that is named
-- later is told what is wrong by then. What follows: only of what it was told as raised.
SELECT a.alarm_id, 'raised' AS what
FROM alarm AS a
WHERE a.account = %(account)s AND a.kind = %(kind)s AND a.cleared_at IS NULL
    AND NOT EXISTS (SELECT FROM alarm_post AS p WHERE p.alarm_id = a.alarm_id)
UNION ALL
SELECT a.alarm_id, 'escalated'
FROM alarm AS a
JOIN alarm_post AS r ON (r.alarm_id, r.what) = (a.alarm_id, 'raised')
WHERE a.account = %(account)s AND a.kind = %(kind)s AND a.cleared_at IS NULL AND a.is_urgent AND NOT r.was_urgent
    AND NOT EXISTS (SELECT FROM alarm_post AS p WHERE (p.alarm_id, p.what) = (a.alarm_id, 'escalated'))
UNION ALL
SELECT p.alarm_id, 'cleared'
FROM alarm_post AS p
WHERE p.alarm_id = ANY (%(cleared)s) AND p.what = 'raised'
ORDER BY alarm_id
