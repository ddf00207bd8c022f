-- Decided once: from here on it is finalized, with whatever it then has.
UPDATE draft_hold
SET released_at = ledger_now(), missing_rows = %(rows)s, missing_units = %(units)s
WHERE (account, invoice) = (%(account)s, %(invoice)s) AND ended_at IS NULL AND released_at IS NULL
