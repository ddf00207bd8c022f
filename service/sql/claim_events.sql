-- SKIP LOCKED: what another worker is claiming is not waited for. The time moves on with the claim, so that the events
-- of a worker that dies come back by themselves.
WITH due AS MATERIALIZED (
    SELECT e.account, e.event_id, a.stripe_account, a.is_live
    FROM event AS e
    LEFT JOIN account AS a USING (account)
    WHERE e.account = %(account)s AND e.state = 'received' AND e.due_at <= ledger_now()
    ORDER BY e.due_at
    LIMIT %(events_max)s
    FOR UPDATE OF e SKIP LOCKED
)
UPDATE event
SET due_at = ledger_now() + %(claim)s
FROM due
WHERE (event.account, event.event_id) = (due.account, due.event_id)
RETURNING
    event.event_id, event.type, event.created_at, event.object_id, event.body, event.failures,
    coalesce(event.is_live = due.is_live, true) AS is_of_our_mode, due.stripe_account, ledger_now() AS claimed_at
