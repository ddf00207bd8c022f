-- A customer whose list Stripe cannot tell now stands back, so that the others are asked for.
UPDATE unread_customer
SET due_at = ledger_now() + %(wait)s
WHERE (account, customer) = (%(account)s, %(customer)s)
