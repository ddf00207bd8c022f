-- What was posted of one alarm, and how that went.
SELECT post_id, what, made_at, due_at, calls, taken_at, given_up_at, status, reason
FROM alarm_post
WHERE alarm_id = %(alarm_id)s
ORDER BY n
