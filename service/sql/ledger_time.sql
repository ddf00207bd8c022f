-- The ledger's own clock, so that ages come out right while a test has moved it.
SELECT ledger_now() AS now
