-- Subscription rows of one intake on their way in, as rows of usage have `staged`: temporary, written with COPY, and empty
-- again after every commit.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_signup (
    position integer NOT NULL,
    account text NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    content_hash bytea NOT NULL,
    customer text NOT NULL,
    price text NOT NULL,
    said jsonb NOT NULL,
    identifier text NOT NULL,
    replaces text,
    import_name text
) ON COMMIT DELETE ROWS
