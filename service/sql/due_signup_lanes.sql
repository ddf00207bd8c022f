-- What is due, as a question: how many customers of each account have a subscription to be made, and are free.
SELECT l.account, count(*) AS lanes
FROM signup_lane AS l
WHERE l.due_at <= ledger_now() AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
    AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter = '*')
GROUP BY l.account
ORDER BY l.account
