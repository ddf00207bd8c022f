-- What a test says is wrong: its facts as a question's answer.
SELECT
    object_id AS subject,
    coalesce((facts ->> 'is_urgent')::boolean, false) AS is_urgent,
    facts ->> 'customer' AS customer,
    facts ->> 'meter' AS meter,
    facts ->> 'item' AS item,
    facts ->> 'price' AS price,
    (facts ->> 'stretch_start')::timestamptz AS stretch_start,
    coalesce((facts ->> 'rows')::bigint, 1) AS rows,
    coalesce((facts ->> 'units')::numeric, 1) AS units,
    NULL AS invoice,
    (facts ->> 'since')::timestamptz AS since,
    (facts ->> 'until')::timestamptz AS until,
    NULL::timestamptz AS deadline,
    'a test says so' AS said
FROM mirror
WHERE account = %(account)s AND kind = 'wrong'
