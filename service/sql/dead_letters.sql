-- A page of what needs a person, the longest waiting first. By key and not by offset: what a drain takes away meanwhile
-- shifts nothing.
SELECT letter, class AS class_, reason, since, account, customer, meter, value, rows
FROM dead_letters_like(%(of_class)s, %(customer)s, %(meter)s, %(reason)s, %(not_before)s)
WHERE (since, letter) > (coalesce(%(after_since)s::timestamptz, '-infinity'), coalesce(%(after_letter)s::text, ''))
ORDER BY since, letter
LIMIT %(letters_max)s
