-- Rows of one intake on their way in, so that each following statement treats all of them at once. Temporary: it lives
-- in this connection, is written with COPY, never logged, and empty again after every commit.
CREATE TEMPORARY TABLE IF NOT EXISTS staged (
    position integer NOT NULL,
    account text NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    content_hash bytea NOT NULL,
    customer text NOT NULL,
    meter text NOT NULL,
    value numeric NOT NULL,
    occurred_at timestamptz NOT NULL
) ON COMMIT DELETE ROWS
