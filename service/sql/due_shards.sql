-- What is due, as a question: which shards have a lane that is due and free, and how many.
SELECT l.account, l.shard, count(*) AS lanes
FROM lane AS l
WHERE l.due_at <= ledger_now() AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
GROUP BY l.account, l.shard
ORDER BY l.account, l.shard
