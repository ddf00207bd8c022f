-- Sealing a lane is one transaction at a time; a lane that another process seals now is not waited for. None of a
-- restored ledger, though the restore was noticed only just now.
SELECT lane_id
FROM lane
WHERE lane_id = ANY(%(lane_ids)s) AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
ORDER BY lane_id
FOR UPDATE SKIP LOCKED
