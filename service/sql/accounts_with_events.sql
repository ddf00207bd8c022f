-- Accounts with events whose effect is due.
SELECT DISTINCT account FROM event WHERE state = 'received' AND due_at <= ledger_now()
