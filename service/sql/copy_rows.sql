-- COPY is three times as fast as INSERT for a thousand rows.
COPY staged (position, account, source, row_id, content_hash, customer, meter, value, occurred_at)
FROM STDIN (FORMAT BINARY)
