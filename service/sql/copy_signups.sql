-- As rows of usage come in: one COPY, however many there are.
COPY staged_signup (
    position, account, source, row_id, content_hash, customer, price, said, identifier, replaces, import_name
)
FROM STDIN (FORMAT BINARY)
