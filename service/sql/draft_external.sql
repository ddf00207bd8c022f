-- The entries whose amount Stripe counted before the ledger was restored: meter events that are not sent, one a bucket;
-- of a `count` meter one an entry, as ever.
INSERT INTO draft (lane_id, bucket, stamped_at, value, entry_ids, unsent_reason, cell)
SELECT
    lane_id, bucket,
    min(CASE WHEN %(is_counting)s THEN date_trunc('second', occurred_at) ELSE %(minute)s END),
    sum(value), array_agg(entry_id),
    'counted by Stripe before the ledger was restored', tstzrange(%(start)s, %(start)s + %(reach)s)
FROM entry
WHERE entry_id = ANY(%(entry_ids)s)
GROUP BY lane_id, bucket, CASE WHEN %(is_counting)s THEN entry_id END
