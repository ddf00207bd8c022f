-- Long enough for another to come meanwhile.
SELECT
    'one' AS subject, false, NULL, NULL, NULL, NULL, NULL::timestamptz, 1::bigint, 1::numeric, NULL, NULL::timestamptz,
    NULL::timestamptz, NULL::timestamptz, 'unhurried' AS said
FROM pg_sleep(0.2)
