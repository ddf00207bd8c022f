-- The stretches of these subscriptions as all words and lines say now; closed ones never change. What the ledger had
-- sealed is written down with what the invoice billed. Returns the time of which something else is known than before.
WITH told AS MATERIALIZED (
    SELECT t.*, s.starts_at IS NOT NULL AS is_known, s.ends_at AS ended_before, s.closed_at IS NOT NULL AS is_closed
    FROM told_stretches(%(account)s, %(subscriptions)s) AS t
    LEFT JOIN stretch AS s
        ON (s.account, s.item, s.price, s.starts_at) = (%(account)s, t.item, t.price, t.starts_at)
),
gone AS (
    DELETE FROM stretch AS s
    WHERE s.account = %(account)s AND s.subscription = ANY(%(subscriptions)s) AND s.closed_at IS NULL
        AND NOT EXISTS (
            SELECT FROM told AS t WHERE (t.item, t.price, t.starts_at) = (s.item, s.price, s.starts_at)
        )
    RETURNING s.customer, s.meter_stripe_id, s.starts_at, s.ends_at
),
put AS (
    INSERT INTO stretch
        (account, item, price, starts_at, ends_at, subscription, customer, meter_stripe_id, is_trial, cut, invoice,
         closed_at, billed, reported)
    SELECT
        %(account)s, t.item, t.price, t.starts_at, t.ends_at, t.subscription, t.customer, t.meter_stripe_id, t.is_trial,
        t.cut, t.invoice, t.closed_at, t.billed,
        CASE WHEN t.closed_at IS NOT NULL AND NOT t.is_closed THEN units_sealed(
            %(account)s, t.customer, t.meter_stripe_id, t.starts_at, t.ends_at
        ) END
    FROM told AS t
    WHERE NOT t.is_closed
    ORDER BY t.item, t.price, t.starts_at
    ON CONFLICT (account, item, price, starts_at) DO UPDATE
    SET ends_at = EXCLUDED.ends_at,
        is_trial = EXCLUDED.is_trial,
        cut = EXCLUDED.cut,
        invoice = EXCLUDED.invoice,
        closed_at = EXCLUDED.closed_at,
        billed = EXCLUDED.billed,
        reported = EXCLUDED.reported
    WHERE stretch.closed_at IS NULL
        AND (stretch.ends_at, stretch.is_trial, stretch.cut, stretch.invoice) IS DISTINCT FROM
            (EXCLUDED.ends_at, EXCLUDED.is_trial, EXCLUDED.cut, EXCLUDED.invoice)
)
SELECT customer, meter_stripe_id, starts_at AS since, ends_at AS until
FROM gone
UNION ALL
SELECT
    customer, meter_stripe_id,
    CASE WHEN is_known THEN least(ended_before, ends_at) ELSE starts_at END,
    CASE WHEN is_known THEN greatest(ended_before, ends_at) ELSE ends_at END
FROM told
WHERE NOT is_known OR (ended_before <> ends_at AND NOT is_closed)
