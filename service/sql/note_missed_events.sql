-- Found, and not pushed in the time that a delivery may take: noted once each, so that each is an alarm once. What Stripe
-- created before the ledger was pinned had nowhere to be pushed to.
WITH unpushed AS MATERIALIZED (
    SELECT u.account, u.event_id
    FROM event AS u
    JOIN account AS a USING (account)
    WHERE u.account = %(account)s AND u.deliveries = 0 AND u.missed_at IS NULL
        AND u.created_at >= date_trunc('second', a.pinned_at) AND u.created_at <= ledger_now() - %(grace)s
    ORDER BY u.created_at
    LIMIT %(events_max)s
    FOR UPDATE OF u SKIP LOCKED
)
UPDATE event AS e
SET missed_at = ledger_now()
FROM unpushed
WHERE (e.account, e.event_id) = (unpushed.account, unpushed.event_id)
RETURNING e.event_id, e.type, e.object_id, e.created_at
