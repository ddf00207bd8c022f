-- Every action must hash to what it says and continue the one before it, without a gap. What is cut off at the end leaves
-- no trace here: keep the newest hash elsewhere, if that matters.
SELECT a.action_id
FROM (
    SELECT action_id, lag(hash, 1, '') OVER chain AS hash_before, row_number() OVER chain AS position
    FROM operator_action
    WINDOW chain AS (ORDER BY action_id)
) AS told
JOIN operator_action AS a USING (action_id)
WHERE a.hash <> action_hash(a) OR a.previous <> told.hash_before OR a.action_id <> told.position
ORDER BY a.action_id
LIMIT %(actions_max)s
