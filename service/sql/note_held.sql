-- Stripe said that it waits for us.
UPDATE draft_hold
SET held_at = coalesce(held_at, ledger_now()), due_at = ledger_now() + %(wait)s
WHERE (account, invoice) = (%(account)s, %(invoice)s) AND ended_at IS NULL
