-- How much of these subscriptions is done already, step by step.
SELECT signup_id, step, count(*) AS steps
FROM signup_step
WHERE signup_id = ANY (%(signup_ids)s)
GROUP BY signup_id, step
