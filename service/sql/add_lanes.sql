-- A lane is made by its first row, and rings for its customer where their subscriptions were never listed, and for its meter
-- where nobody has heard of it; that once, however many lanes name it. Sorted, so that two intakes with the same new lanes
-- wait in line instead of in a ring.
WITH made AS (
    INSERT INTO lane (account, customer, meter)
    SELECT DISTINCT account, customer, meter
    FROM staged AS s
    WHERE NOT EXISTS (
        SELECT FROM lane AS l WHERE (l.account, l.customer, l.meter) = (s.account, s.customer, s.meter)
    )
    ORDER BY account, customer, meter
    ON CONFLICT (account, customer, meter) DO NOTHING
    RETURNING account, customer, meter
),
rung AS (
    INSERT INTO unknown_meter (account, meter)
    SELECT DISTINCT account, meter
    FROM made AS m
    WHERE NOT EXISTS (SELECT FROM meter AS k WHERE (k.account, k.meter) = (m.account, m.meter))
    ORDER BY account, meter
    ON CONFLICT DO NOTHING
)
INSERT INTO unread_customer (account, customer)
SELECT DISTINCT account, customer
FROM made AS m
WHERE NOT EXISTS (SELECT FROM customer AS c WHERE (c.account, c.customer) = (m.account, m.customer))
ORDER BY account, customer
ON CONFLICT DO NOTHING
