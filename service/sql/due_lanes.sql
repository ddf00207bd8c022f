-- What is due, as a question: how many lanes of each account are due and free. While a breaker is
-- open they are due when its wait is over and no trial is under way.
SELECT l.account, count(*) AS lanes
FROM lane AS l
WHERE l.due_at <= ledger_now() AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
    AND NOT EXISTS (
        SELECT FROM account AS a
        WHERE a.account = l.account AND (a.paused_until > ledger_now() OR a.trial_until > ledger_now())
    )
    AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
GROUP BY l.account
ORDER BY l.account
