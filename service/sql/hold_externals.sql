-- Buckets that may have been sealed and sent before the ledger was restored wait while Stripe counts something in their
-- hour that no rows explain: sent again, they would count twice. Their bell stands back, so that others get their turn.
WITH held AS (
    DELETE FROM due AS d
    WHERE EXISTS (
        SELECT FROM open_external AS x
        JOIN epoch AS e USING (epoch_id)
        WHERE x.lane_id = d.lane_id AND d.bucket < e.began_at
            AND date_bin('1 hour', x.minute, 'epoch') = date_bin('1 hour', d.bucket, 'epoch')
    )
    RETURNING d.lane_id, d.bucket
)
UPDATE unsealed AS u
SET seal_at = ledger_now() + %(wait)s
FROM held AS h
WHERE (u.lane_id, u.bucket) = (h.lane_id, h.bucket) AND u.seal_at <= ledger_now()
