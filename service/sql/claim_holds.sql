-- Holds to look at, the longest waiting first. The claim comes back by itself: whoever holds it makes one call or two.
WITH due AS MATERIALIZED (
    SELECT account, invoice
    FROM draft_hold
    WHERE account = %(account)s AND ended_at IS NULL AND due_at <= ledger_now()
    ORDER BY due_at
    LIMIT %(holds_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE draft_hold AS h
SET due_at = ledger_now() + %(lease)s
FROM due
JOIN invoice AS i USING (account, invoice)
WHERE (h.account, h.invoice) = (due.account, due.invoice)
RETURNING
    h.invoice, i.status, h.held_at IS NOT NULL AS is_held, h.released_at IS NOT NULL AS is_released, h.not_before,
    h.deadline, ledger_now() AS now
