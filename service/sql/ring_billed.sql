-- What was kept unsealed because nobody billed it is looked at again now that somebody may.
INSERT INTO unsealed (lane_id, bucket, seal_at)
SELECT DISTINCT u.lane_id, u.bucket, ledger_now()
FROM lane AS l
JOIN unsealed AS u USING (lane_id)
WHERE l.account = %(account)s AND l.customer = ANY(%(customers)s) AND u.is_held AND u.seal_at > ledger_now()
