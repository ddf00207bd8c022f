-- The drafts of ended periods that bill usage and that Stripe is about to finalize by itself, as it would have at the
-- earliest. Written down before Stripe is asked; one a draft, so that two who decide it decide it once.
INSERT INTO draft_hold (account, invoice, customer, not_before, deadline)
SELECT
    i.account, i.invoice, i.customer, i.automatically_finalizes_at,
    greatest(i.automatically_finalizes_at, coalesce(i.period_end, ledger_now()) + %(hold)s)
FROM invoice AS i
WHERE i.account = %(account)s AND i.status = 'draft' AND i.billing_reason = 'subscription_cycle'
    AND i.automatically_finalizes_at > ledger_now() + %(margin)s
    AND EXISTS (
        SELECT FROM invoice_line AS b
        WHERE (b.account, b.invoice) = (i.account, i.invoice) AND b.meter_stripe_id IS NOT NULL
    )
    AND NOT EXISTS (SELECT FROM draft_hold AS h WHERE (h.account, h.invoice) = (i.account, i.invoice))
ORDER BY i.invoice
ON CONFLICT DO NOTHING
