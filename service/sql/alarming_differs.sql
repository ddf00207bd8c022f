-- Final lines that are not what the ledger has for their stretch, one line a stretch. What it had when the invoice was
-- mirrored is written down with the stretch; where that differs, it is summed up again, since a meter event that was in
-- doubt then may count. What Stripe took later is late, and no difference. Not of a stretch that was learnt long after
-- it.
SELECT
    concat_ws('/', s.invoice, s.item, s.price, extract(epoch FROM s.starts_at)::bigint) AS subject,
    false AS is_urgent,
    s.customer,
    l.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    0::bigint AS rows,
    now.reported - s.billed AS units,
    s.invoice,
    s.starts_at AS since,
    s.ends_at AS until,
    NULL::timestamptz AS deadline,
    format(
        'the invoice has %%s, the ledger had %%s at Stripe', trim_scale(s.billed), trim_scale(now.reported)
    ) AS said
FROM stretch AS s
CROSS JOIN LATERAL (
    SELECT
        units_reported(s.account, s.customer, s.meter_stripe_id, s.starts_at, s.ends_at, s.closed_at) AS reported,
        units_reported(s.account, s.customer, s.meter_stripe_id, s.starts_at, s.ends_at, 'infinity') AS reported_since
) AS now
LEFT JOIN LATERAL (
    SELECT m.meter FROM meter AS m WHERE (m.account, m.stripe_id) = (s.account, s.meter_stripe_id)
) AS l ON true
WHERE s.account = %(account)s AND s.billed IS DISTINCT FROM s.reported AND s.billed IS NOT NULL
    AND s.learnt_at < s.closed_at + interval '1 day' AND s.billed NOT IN (now.reported, now.reported_since)
ORDER BY s.closed_at, subject
