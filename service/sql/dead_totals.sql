-- How much of each class the same filter finds, over all pages.
SELECT class AS class_, count(*) AS letters, sum(rows)::bigint AS rows, min(since) AS since
FROM dead_letters_like(%(of_class)s, %(customer)s, %(meter)s, %(reason)s, %(not_before)s)
GROUP BY class
ORDER BY class
