-- Whose invoices of ended periods these are, whatever became of them: another draft may be open still, or none.
SELECT DISTINCT customer
FROM invoice
WHERE account = %(account)s AND invoice = ANY(%(invoices)s) AND customer IS NOT NULL
    AND (billing_reason = 'subscription_cycle' OR status IS NULL)
ORDER BY customer
