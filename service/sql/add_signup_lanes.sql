-- A customer's lane is made by the first of its subscription rows. Sorted, so that two intakes with the same new lanes wait
-- in line instead of in a ring.
INSERT INTO signup_lane (account, customer)
SELECT DISTINCT account, customer
FROM staged_signup AS s
WHERE NOT EXISTS (SELECT FROM signup_lane AS l WHERE (l.account, l.customer) = (s.account, s.customer))
ORDER BY account, customer
ON CONFLICT (account, customer) DO NOTHING
