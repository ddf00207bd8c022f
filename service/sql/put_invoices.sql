-- As subscriptions, and a deletion is the last word: it beats any other of its second, and nothing comes after it.
INSERT INTO invoice (
    account, invoice, customer, subscription, status, billing_reason, period_start, period_end, total, currency,
    automatically_finalizes_at, as_of, read_at, object
)
SELECT
    %(account)s, invoice, customer, subscription, status, billing_reason, period_start, period_end, total, currency,
    automatically_finalizes_at, as_of, read_at, object
FROM unnest(
    %(invoices)s::text[], %(customers)s::text[], %(subscriptions)s::text[], %(statuses)s::text[],
    %(billing_reasons)s::text[], %(period_starts)s::timestamptz[], %(period_ends)s::timestamptz[],
    %(totals)s::bigint[], %(currencies)s::text[], %(automatically_finalizes_ats)s::timestamptz[],
    %(as_ofs)s::timestamptz[], %(read_ats)s::timestamptz[], %(objects)s::jsonb[]
) AS told (
    invoice, customer, subscription, status, billing_reason, period_start, period_end, total, currency,
    automatically_finalizes_at, as_of, read_at, object
)
ORDER BY invoice
ON CONFLICT (account, invoice) DO UPDATE
SET customer = EXCLUDED.customer,
    subscription = EXCLUDED.subscription,
    status = EXCLUDED.status,
    billing_reason = EXCLUDED.billing_reason,
    period_start = EXCLUDED.period_start,
    period_end = EXCLUDED.period_end,
    total = EXCLUDED.total,
    currency = EXCLUDED.currency,
    automatically_finalizes_at = EXCLUDED.automatically_finalizes_at,
    as_of = EXCLUDED.as_of,
    read_at = EXCLUDED.read_at,
    object = EXCLUDED.object
WHERE invoice.status IS NOT NULL
    AND (
        EXCLUDED.status IS NULL
        OR EXCLUDED.as_of > invoice.as_of
        OR (EXCLUDED.as_of = invoice.as_of AND EXCLUDED.read_at > coalesce(invoice.read_at, '-infinity'))
    )
RETURNING invoice AS object_id
