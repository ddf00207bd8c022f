-- Nothing can be decided now, or Stripe refused in these words.
UPDATE draft_hold
SET due_at = ledger_now() + %(wait)s, said = coalesce(%(said)s, said)
WHERE (account, invoice) = (%(account)s, %(invoice)s) AND ended_at IS NULL
