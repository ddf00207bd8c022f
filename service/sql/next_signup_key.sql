-- Nothing was made under the last key: due again, under the next one, and in no doubt.
UPDATE signup AS s
SET state = 'due', reason = NULL, due_at = ledger_now(), key_number = s.key_number + 1, ambiguous_since = NULL
FROM signup AS was
WHERE s.signup_id = %(signup_id)s AND s.state IN ('held', 'refused') AND was.signup_id = s.signup_id
RETURNING s.signup_id, s.identifier, was.state AS before, s.state, s.subscription, s.reason
