-- Only what was paused under this very name: a meter's pause outlives that of its account.
DELETE FROM pause
WHERE (account, meter) = (%(account)s, %(meter)s)
