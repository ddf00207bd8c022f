-- Nothing is sent: Stripe refuses the key, which a person alone can mend, or fails for longer than a short trouble lasts.
SELECT
    'stripe' AS subject,
    pause_reason ~ '^40[13]:' AS is_urgent,
    NULL AS customer,
    NULL AS meter,
    NULL AS item,
    NULL AS price,
    NULL::timestamptz AS stretch_start,
    0::bigint AS rows,
    0::numeric AS units,
    NULL AS invoice,
    NULL::timestamptz AS since,
    NULL::timestamptz AS until,
    NULL::timestamptz AS deadline,
    'nothing is sent: ' || coalesce(pause_reason, 'the breaker is open') AS said
FROM account
WHERE account = %(account)s AND openings > CASE WHEN pause_reason ~ '^40[13]:' THEN 0 ELSE 4 END
