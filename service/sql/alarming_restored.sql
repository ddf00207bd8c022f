-- A ledger that was put back waits for a person: nothing is sealed or sent until then.
SELECT
    'epoch-' || epoch_id AS subject,
    true AS is_urgent,
    NULL AS customer,
    NULL AS meter,
    NULL AS item,
    NULL AS price,
    NULL::timestamptz AS stretch_start,
    0::bigint AS rows,
    0::numeric AS units,
    NULL AS invoice,
    gap_from AS since,
    began_at AS until,
    NULL::timestamptz AS deadline,
    'the ledger was restored, and nothing is sealed or sent: ' || cause AS said
FROM epoch
WHERE gap_from IS NOT NULL AND confirmed_at IS NULL
