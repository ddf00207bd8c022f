-- What is due, and what must be known before it can be sealed. No lock: knowing may need calls to Stripe. A customer's
-- subscriptions are listed once, because those older than our webhooks were never told; again while there are none, or
-- when a period is over and no event has told the next. Meters are read again after a while, active ones too: one may be
-- archived and made anew under its name, and Stripe counts on the new one from then on. A restored ledger seals nothing:
-- what Stripe has of it already is not known yet, and a meter event cannot be taken back.
WITH due AS (
    SELECT lane_id, min(seal_at) AS seal_at
    FROM unsealed
    WHERE seal_at <= ledger_now() AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    GROUP BY lane_id
    ORDER BY seal_at
    LIMIT %(lanes_max)s
)
SELECT
    l.lane_id, l.account, l.customer, l.meter,
    coalesce(m.read_at > ledger_now() - %(meter_reread)s, false) AS is_meter_known,
    coalesce(m.is_active AND m.event_time_window IS NULL AND m.formula IN ('sum', 'count', 'last'), false) AS is_sealable,
    coalesce(c.subscriptions_read_at > ledger_now() - %(subscriptions_reread)s, false)
        OR (c.customer IS NOT NULL AND p.subscriptions > 0 AND p.stale = 0) AS is_customer_known
FROM due
JOIN lane AS l USING (lane_id)
LEFT JOIN meter AS m USING (account, meter)
LEFT JOIN customer AS c USING (account, customer)
CROSS JOIN LATERAL (
    SELECT count(*) AS subscriptions, count(*) FILTER (WHERE i.period_end <= ledger_now()) AS stale
    FROM subscription AS s
    LEFT JOIN subscription_item AS i USING (account, subscription)
    WHERE (s.account, s.customer) = (l.account, l.customer) AND s.status NOT IN ('canceled', 'incomplete_expired')
) AS p
ORDER BY due.seal_at
