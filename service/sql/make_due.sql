-- The buckets of one sealing transaction, chosen once for all formulas. Temporary, and empty after every commit.
CREATE TEMPORARY TABLE IF NOT EXISTS due (
    lane_id bigint NOT NULL,
    bucket timestamptz NOT NULL
) ON COMMIT DELETE ROWS
