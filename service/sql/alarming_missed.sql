-- Events that Stripe lists and never pushed, of the time in which it could still say so: one alarm, since they mostly have
-- one cause, with how many there are.
SELECT
    'events' AS subject,
    false AS is_urgent,
    NULL AS customer,
    NULL AS meter,
    NULL AS item,
    NULL AS price,
    NULL::timestamptz AS stretch_start,
    count(*) AS rows,
    0::numeric AS units,
    NULL AS invoice,
    min(created_at) AS since,
    max(created_at) AS until,
    NULL::timestamptz AS deadline,
    format('Stripe lists %%s events that it never pushed, the last a %%s', count(*),
        (array_agg(type ORDER BY created_at DESC, event_id))[1]) AS said
FROM event
WHERE account = %(account)s AND deliveries = 0 AND missed_at IS NOT NULL
    AND created_at > ledger_now() - interval '30 days'
HAVING count(*) > 0
