-- In the transaction of what it tells: both commit or neither does. The table numbers and chains it.
INSERT INTO operator_action (actor, verb, subject, reason, state_before, state_after)
VALUES (%(actor)s, %(verb)s, %(subject)s, %(reason)s, %(state_before)s, %(state_after)s)
RETURNING action_id
