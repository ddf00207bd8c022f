-- What was done for a subscription, in the order in which it was.
SELECT step, about, found, done_at FROM signup_step WHERE signup_id = %(signup_id)s ORDER BY done_at, step, about
