-- Usage whose invoice was final before Stripe had it, one line an invoice and lane. A person carries it into the open period
-- or waives it; nothing else ends it, and nothing is urgent about it: no time runs out.
SELECT
    concat_ws('/', invoice, customer, meter) AS subject,
    false AS is_urgent,
    customer,
    meter,
    min(item) AS item,
    min(price) AS price,
    min(stretch_start) AS stretch_start,
    sum(entries)::bigint AS rows,
    CASE
        WHEN bool_or(formula = 'last') THEN (array_agg(units ORDER BY stamped_at DESC, meter_event_id DESC))[1]
        ELSE sum(units)
    END AS units,
    invoice,
    min(stamped_at) AS since,
    max(stamped_at) AS until,
    NULL::timestamptz AS deadline,
    format(
        'the invoice %%s of %%s was final at %%s UTC, and does not have it', invoice, customer,
        to_char(max(closed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    ) AS said
FROM late_meter_event
WHERE account = %(account)s
GROUP BY account, invoice, customer, meter
ORDER BY min(closed_at), subject
