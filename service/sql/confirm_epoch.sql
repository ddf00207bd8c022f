-- A person has seen what was found. In the transaction of the action that says who.
UPDATE epoch
SET confirmed_at = ledger_now()
WHERE epoch_id = %(epoch_id)s AND confirmed_at IS NULL AND compared_at IS NOT NULL
