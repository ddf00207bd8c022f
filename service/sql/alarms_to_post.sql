-- What is to be told and was not written down yet. What was raised: whatever is open, so that a receiver that is named
-- later is told what is wrong by then. What follows: only of what it was told as raised. What has grown to twice what was
-- told last, or has money by now: five minutes after that, when the first figures have come together, and once an hour at
-- most; what has no money is measured by its rows. What becomes urgent with it is told as that.
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
SELECT a.alarm_id, 'changed'
FROM alarm AS a
CROSS JOIN LATERAL (
    SELECT p.made_at, p.rows, p.amount, p.currency
    FROM alarm_post AS p
    WHERE p.alarm_id = a.alarm_id
    ORDER BY p.n DESC
    LIMIT 1
) AS told
WHERE a.account = %(account)s AND a.kind = %(kind)s AND a.cleared_at IS NULL
    AND told.made_at <= ledger_now() - interval '5 minutes'
    AND NOT EXISTS (
        SELECT FROM alarm_post AS p
        WHERE p.alarm_id = a.alarm_id AND p.what = 'changed' AND p.made_at > ledger_now() - interval '1 hour'
    )
    AND CASE
        WHEN a.amount_rounded IS NULL THEN told.amount IS NULL AND a.rows >= 2 * greatest(told.rows, 1)
        WHEN told.currency IS DISTINCT FROM a.currency THEN true
        ELSE abs(a.amount_rounded) >= 2 * greatest(abs(told.amount), 1) OR (told.amount = 0 AND a.amount_rounded <> 0)
    END
    AND (NOT a.is_urgent OR EXISTS (SELECT FROM alarm_post AS p WHERE p.alarm_id = a.alarm_id AND p.was_urgent))
UNION ALL
SELECT p.alarm_id, 'cleared'
FROM alarm_post AS p
WHERE p.alarm_id = ANY (%(cleared)s) AND p.what = 'raised'
ORDER BY alarm_id
