-- Usage of trials whose invoice is not final, one line a stretch. Of a trial that was ended no invoice may ever come,
-- and one whose end is long past says nothing any more.
SELECT
    concat_ws('/', s.item, s.price, extract(epoch FROM s.starts_at)::bigint) AS subject,
    false AS is_urgent,
    s.customer,
    u.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    u.rows,
    u.units,
    NULL::text AS invoice,
    u.since,
    u.until,
    NULL::timestamptz AS deadline,
    format(
        '%%s of %%s is on trial until %%s UTC', s.item, s.customer,
        to_char(s.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    ) AS said
FROM stretch AS s
CROSS JOIN LATERAL usage_within(s.account, s.customer, s.meter_stripe_id, s.starts_at, s.ends_at) AS u
WHERE s.account = %(account)s AND s.is_trial AND s.closed_at IS NULL
    AND s.cut IS NULL AND s.ends_at > ledger_now() - interval '7 days'
ORDER BY u.since, subject
