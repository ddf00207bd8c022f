-- It is final, or gone; there is nothing to look at any more.
UPDATE draft_hold
SET ended_at = ledger_now(), ending = %(ending)s
WHERE (account, invoice) = (%(account)s, %(invoice)s) AND ended_at IS NULL
