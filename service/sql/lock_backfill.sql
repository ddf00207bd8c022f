-- One at a time fills, closes or reverts it: whoever comes second goes on where the first has got to.
SELECT backfill_id, account, name, state
FROM backfill
WHERE (account, name) = (%(account)s, %(name)s)
FOR UPDATE
