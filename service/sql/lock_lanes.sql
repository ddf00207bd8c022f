-- Sealing a lane is one transaction at a time; a lane that another process seals now is not waited for.
SELECT lane_id
FROM lane
WHERE lane_id = ANY(%(lane_ids)s)
ORDER BY lane_id
FOR UPDATE SKIP LOCKED
