-- What is open of each kind: money by currency, because amounts of two are no sum; usage without a known price is counted.
SELECT
    a.kind, count(*) AS alarms, count(*) FILTER (WHERE a.is_urgent) AS urgent,
    count(*) FILTER (WHERE a.acknowledged_at IS NOT NULL) AS acknowledged,
    sum(a.rows)::bigint AS rows, sum(a.units) AS units, count(*) FILTER (WHERE a.amount IS NULL AND a.meter IS NOT NULL) AS without_money,
    min(a.raised_at) AS since, coalesce(min(q.left_out), 0) AS left_out,
    (
        SELECT coalesce(jsonb_object_agg(of_currency.currency, of_currency.amount::text), '{}')
        FROM (
            SELECT o.currency, sum(o.amount_rounded) AS amount
            FROM alarm AS o
            WHERE (o.account, o.kind) = (%(account)s, a.kind) AND o.cleared_at IS NULL AND o.currency IS NOT NULL
            GROUP BY o.currency
        ) AS of_currency
    ) AS amounts
FROM alarm AS a
LEFT JOIN alarm_question AS q ON (q.account, q.kind) = (a.account, a.kind)
WHERE a.account = %(account)s AND a.cleared_at IS NULL
GROUP BY a.kind
ORDER BY a.kind
