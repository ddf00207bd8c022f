-- These prices are known now: what they rate is looked at with the next question.
UPDATE alarm
SET rated_at = NULL
WHERE account = %(account)s AND cleared_at IS NULL AND amount IS NULL AND price = ANY (%(prices)s)
