-- Names one subject twice, as no question may.
SELECT
    'one' AS subject, false, NULL, NULL, NULL, NULL, NULL::timestamptz, n::bigint, 1::numeric, NULL, NULL::timestamptz,
    NULL::timestamptz, NULL::timestamptz, 'twice' AS said
FROM generate_series(1, 2) AS n
