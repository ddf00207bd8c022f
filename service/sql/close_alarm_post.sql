-- Taken, given up, or due again. A call that took longer than its claim closes what another has closed: nothing then.
UPDATE alarm_post
SET due_at = CASE WHEN NOT %(is_taken)s AND NOT %(is_given_up)s THEN ledger_now() + %(wait)s::interval END,
    taken_at = CASE WHEN %(is_taken)s THEN ledger_now() END,
    given_up_at = CASE WHEN %(is_given_up)s THEN ledger_now() END,
    status = %(status)s,
    reason = %(reason)s
WHERE post_id = %(post_id)s AND due_at IS NOT NULL
