-- The buckets that these drafts bill are sealed now, not when their time is over: the draft may be final by then. A
-- bell is an insert, so that nobody waits; what is kept back because nobody bills it is not concerned.
INSERT INTO unsealed (lane_id, bucket, seal_at)
SELECT DISTINCT u.lane_id, u.bucket, ledger_now()
FROM invoice AS i
JOIN invoice_line AS b USING (account, invoice)
JOIN lane AS l ON (l.account, l.customer) = (i.account, i.customer)
JOIN unsealed AS u ON u.lane_id = l.lane_id
WHERE i.account = %(account)s AND i.invoice = ANY(%(invoices)s)
    AND i.status = 'draft' AND i.billing_reason = 'subscription_cycle'
    AND u.seal_at > ledger_now() AND NOT u.is_held
    AND u.bucket < b.period_end AND u.bucket > b.period_start - interval '1 hour'
