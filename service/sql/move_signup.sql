-- Only compares and sets; what follows from what is decided in Python. A reason that is not told stays. The first doubt
-- stays too, until a next key begins without one.
UPDATE signup AS s
SET state = %(state)s,
    reason = coalesce(%(reason)s, s.reason),
    due_at = ledger_now() + %(wait)s::interval,
    ambiguous_since = coalesce(s.ambiguous_since, %(ambiguous_since)s)
FROM signup AS was
WHERE s.signup_id = %(signup_id)s AND s.state IN ('due', 'unknown', 'held') AND was.signup_id = s.signup_id
RETURNING s.signup_id, s.identifier, was.state AS before, s.state, s.subscription, s.reason
