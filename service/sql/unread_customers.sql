-- The bells of customers of whom nothing is known yet. Looking takes no lock: a list that is read twice does no harm.
-- Of a restored ledger nobody is sealed, so nobody is asked for.
SELECT
    u.customer,
    EXISTS (
        SELECT FROM lane AS l
        WHERE (l.account, l.customer) = (u.account, u.customer)
            AND NOT EXISTS (SELECT FROM meter AS m WHERE (m.account, m.meter) = (l.account, l.meter))
    ) AS wants_meters
FROM unread_customer AS u
WHERE account = %(account)s AND due_at <= ledger_now() AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
ORDER BY due_at
LIMIT %(customers_max)s
