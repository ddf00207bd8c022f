-- A person asks for another look: what was listed before counts no more, and what was blocked is due again.
UPDATE signup
SET state = CASE state WHEN 'blocked' THEN 'due' ELSE state END,
    reason = CASE state WHEN 'held' THEN reason END,
    due_at = ledger_now(),
    asked_at = ledger_now(),
    is_allowed = is_allowed OR %(is_allowed)s
WHERE signup_id = %(signup_id)s AND state IN ('due', 'blocked', 'held')
