-- Every meter that a recorded row names: lanes are few where rows are many.
SELECT DISTINCT meter
FROM lane
WHERE account = %(account)s
ORDER BY meter
