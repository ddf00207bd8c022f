-- What stands on the desk for longer than a day, one line a class. What is held is mostly read back by itself, and the
-- proof that it is absent takes a day and a half: it has two.
SELECT
    class AS subject,
    false AS is_urgent,
    NULL AS customer,
    NULL AS meter,
    NULL AS item,
    NULL AS price,
    NULL::timestamptz AS stretch_start,
    sum(rows)::bigint AS rows,
    coalesce(sum(value), 0) AS units,
    NULL AS invoice,
    NULL::timestamptz AS since,
    NULL::timestamptz AS until,
    NULL::timestamptz AS deadline,
    format('%%s %%s wait for a person for too long, the first since %%s', count(*), class,
        to_char(min(since) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) AS said
FROM dead_letter
WHERE since < ledger_now() - CASE class WHEN 'held' THEN interval '2 days' ELSE interval '1 day' END
    AND coalesce(account, %(account)s) = %(account)s
GROUP BY class
