-- A lane is made by its first row, and rings for its customer where their subscriptions were never listed. Sorted, so that
-- two intakes with the same new lanes wait in line instead of in a ring.
WITH made AS (
    INSERT INTO lane (account, customer, meter)
    SELECT DISTINCT account, customer, meter
    FROM staged AS s
    WHERE NOT EXISTS (
        SELECT FROM lane AS l WHERE (l.account, l.customer, l.meter) = (s.account, s.customer, s.meter)
    )
    ORDER BY account, customer, meter
    ON CONFLICT (account, customer, meter) DO NOTHING
    RETURNING account, customer
)
INSERT INTO unread_customer (account, customer)
SELECT DISTINCT account, customer
FROM made AS m
WHERE NOT EXISTS (SELECT FROM customer AS c WHERE (c.account, c.customer) = (m.account, m.customer))
ORDER BY account, customer
ON CONFLICT DO NOTHING
