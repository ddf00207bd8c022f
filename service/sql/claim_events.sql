-- SKIP LOCKED: what another worker is claiming is not waited for. The time moves on with the claim, so that the events
-- of a worker that dies come back by themselves.
UPDATE event
SET due_at = ledger_now() + %(claim)s
WHERE (account, event_id) IN (
    SELECT account, event_id
    FROM event
    WHERE account = %(account)s AND state = 'received' AND due_at <= ledger_now()
    ORDER BY due_at
    LIMIT %(events_max)s
    FOR UPDATE SKIP LOCKED
)
RETURNING
    event_id, type, created_at, object_id, body, failures,
    NOT EXISTS (
        SELECT FROM account AS a WHERE a.account = event.account AND a.is_live <> event.is_live
    ) AS is_ours
