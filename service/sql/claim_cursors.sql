-- The time moves on with the claim, so that the cursor of a worker that dies comes back by itself; SKIP LOCKED, because
-- another who is just claiming reads it. While the breaker waits nothing is called, here as elsewhere.
UPDATE event_cursor AS c
SET due_at = ledger_now() + %(claim)s
FROM (
    SELECT e.account, e.stream, a.is_live
    FROM event_cursor AS e
    JOIN account AS a USING (account)
    WHERE e.account = %(account)s AND (e.due_at <= ledger_now() OR %(is_start)s)
        AND (a.paused_until IS NULL OR a.paused_until <= ledger_now())
    FOR UPDATE OF e SKIP LOCKED
) AS due
WHERE (c.account, c.stream) = (due.account, due.stream)
RETURNING c.account, due.is_live, c.stream, c.read_to, c.read_until, c.chunk, c.page, ledger_now() AS now
