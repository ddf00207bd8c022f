-- The steps of a signup that are done, and what they told.
SELECT step, about, found, told
FROM signup_step
WHERE signup_id = %(signup_id)s
