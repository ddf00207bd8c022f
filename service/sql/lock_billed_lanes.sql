-- Nobody seals these customers' lanes while it changes who bills them: what is sealed meanwhile would be told apart by
-- what was known before. A statement of its own, so that the next one sees what was sealed until the lock was given.
SELECT lane_id
FROM lane
WHERE account = %(account)s AND customer = ANY(%(customers)s)
ORDER BY lane_id
FOR UPDATE
