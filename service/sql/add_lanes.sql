-- A lane is made by its first row. Sorted, so that two intakes with the same new lanes wait in line instead of in a ring.
INSERT INTO lane (account, customer, meter)
SELECT DISTINCT account, customer, meter
FROM staged AS s
WHERE NOT EXISTS (
    SELECT FROM lane AS l WHERE (l.account, l.customer, l.meter) = (s.account, s.customer, s.meter)
)
ORDER BY account, customer, meter
ON CONFLICT (account, customer, meter) DO NOTHING
