-- The unique key decides what is new: an insert that finds its key taken does nothing, and only what this statement
-- inserted becomes an entry. Sorted by key, as every intake is, so that intakes cannot deadlock.
WITH first_told AS (
    SELECT DISTINCT ON (account, source, row_id) *
    FROM staged
    ORDER BY account, source, row_id, position
),
fresh AS (
    INSERT INTO row_key (account, source, row_id, content_hash)
    SELECT account, source, row_id, content_hash
    FROM first_told
    ORDER BY account, source, row_id
    ON CONFLICT (account, source, row_id) DO NOTHING
    RETURNING account, source, row_id, entry_id
),
added AS (
    INSERT INTO entry (entry_id, lane_id, intake_id, source, row_id, value, occurred_at, bucket)
    SELECT
        fresh.entry_id, lane.lane_id, %(intake_id)s, source, row_id, told.value, told.occurred_at,
        date_bin(%(bucket)s, told.occurred_at, 'epoch')
    FROM fresh
    JOIN first_told AS told USING (account, source, row_id)
    JOIN lane USING (account, customer, meter)
    RETURNING lane_id, bucket
),
rung AS (
    INSERT INTO unsealed (lane_id, bucket, seal_at)
    SELECT DISTINCT lane_id, bucket, greatest(bucket + %(bucket)s, ledger_now()) + %(linger)s
    FROM added
)
SELECT count(*) AS rows FROM added
