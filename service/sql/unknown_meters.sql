-- How many bells of meters that nobody has heard of ring as of now: one reading of Stripe's list answers all of them. Of a
-- restored ledger nothing is sealed, so nothing is asked for.
SELECT count(*) AS meters, ledger_now() AS asked_at
FROM unknown_meter
WHERE account = %(account)s AND due_at <= ledger_now() AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
