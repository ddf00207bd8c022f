-- A step is taken once: told again, it is what it was. What another signup learnt keeps the time at which it was learnt.
INSERT INTO signup_step (signup_id, step, about, found, told, done_at)
VALUES (%(signup_id)s, %(step)s, %(about)s, %(found)s, %(told)s, coalesce(%(done_at)s, ledger_now()))
ON CONFLICT (signup_id, step, about) DO NOTHING
