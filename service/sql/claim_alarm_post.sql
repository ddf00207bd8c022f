-- The next that is due, for as long as one call may take; of an alarm only its oldest, so that it is told in order. The
-- lock is skipped by others who post, and the time moves on, so that what a process left behind comes back by itself.
WITH next AS MATERIALIZED (
    SELECT d.post_id
    FROM alarm_post AS d
    WHERE d.account = %(account)s AND d.due_at <= ledger_now()
        AND NOT EXISTS (
            SELECT FROM alarm_post AS o WHERE o.alarm_id = d.alarm_id AND o.n < d.n AND o.due_at IS NOT NULL
        )
    ORDER BY d.due_at, d.n
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE alarm_post AS p
SET due_at = ledger_now() + %(claim)s, calls = p.calls + 1
FROM next
WHERE p.post_id = next.post_id
RETURNING p.post_id, p.alarm_id, p.what, p.body, p.calls, p.made_at, ledger_now() AS now
