-- By days of UTC, as the hours are; at most two days of rows are read.
SELECT
    reason,
    coalesce(sum(requests) FILTER (WHERE hour >= date_trunc('day', ledger_now(), 'UTC')), 0)::bigint AS today,
    coalesce(sum(requests) FILTER (WHERE hour < date_trunc('day', ledger_now(), 'UTC')), 0)::bigint AS yesterday
FROM stranger
WHERE account = %(account)s AND hour >= date_trunc('day', ledger_now(), 'UTC') - interval '1 day'
GROUP BY reason
ORDER BY sum(requests) DESC, reason
