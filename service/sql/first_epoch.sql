-- The first look at a ledger that has forgotten nothing.
INSERT INTO epoch (server, cause, confirmed_at)
SELECT server_identity(), 'the first', ledger_now()
WHERE NOT EXISTS (SELECT FROM epoch)
