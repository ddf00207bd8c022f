-- The bells of customers of whom nothing is known yet. Looking takes no lock: a list that is read twice does no harm.
-- Of a restored ledger nobody is sealed, so nobody is asked for.
SELECT customer
FROM unread_customer
WHERE account = %(account)s AND due_at <= ledger_now() AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
ORDER BY due_at
LIMIT %(customers_max)s
