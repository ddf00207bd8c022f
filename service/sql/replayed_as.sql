-- Where rows of this id came from, if they came out of quarantine: the way back to the bytes that were told first.
SELECT r.account, r.source, r.row_id, r.quarantine_id, r.said, a.acted_at, a.actor, a.reason
FROM replayed_row AS r
JOIN operator_action AS a USING (action_id)
WHERE r.row_id = %(row_id)s
ORDER BY r.action_id
LIMIT %(rows_max)s
