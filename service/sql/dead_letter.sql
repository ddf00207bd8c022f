-- One letter, if it stands on the desk.
SELECT letter, class AS class_, reason, since, account, customer, meter, value, rows
FROM dead_letter
WHERE letter = %(letter)s
