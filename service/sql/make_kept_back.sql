-- Entries that are not sealed now, because nobody bills them yet. Temporary, and empty after every commit.
CREATE TEMPORARY TABLE IF NOT EXISTS kept_back (
    entry_id bigint PRIMARY KEY
) ON COMMIT DELETE ROWS
