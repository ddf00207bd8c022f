-- Takes longer than any question may.
SELECT
    'never' AS subject, false, NULL, NULL, NULL, NULL, NULL::timestamptz, 1::bigint, 1::numeric, NULL, NULL::timestamptz,
    NULL::timestamptz, NULL::timestamptz, 'slow' AS said
FROM pg_sleep(30)
