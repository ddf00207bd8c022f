-- What persons have paused, the oldest pause first.
SELECT account, meter, paused_at, actor, reason
FROM pause
ORDER BY paused_at, account, meter
