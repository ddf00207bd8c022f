-- Its next state, and the action by which a person ordered it.
UPDATE backfill
SET state = %(state)s,
    close_action_id = coalesce(close_action_id, CASE WHEN %(state)s = 'closing' THEN %(action_id)s::bigint END),
    closed_at = coalesce(closed_at, CASE WHEN %(state)s = 'closed' THEN ledger_now() END),
    revert_action_id = coalesce(revert_action_id, CASE WHEN %(state)s = 'reverting' THEN %(action_id)s::bigint END),
    reverted_at = coalesce(reverted_at, CASE WHEN %(state)s = 'reverted' THEN ledger_now() END)
WHERE backfill_id = %(backfill_id)s
