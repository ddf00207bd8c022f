-- The fact first: what Stripe answered stands in the ledger before anything follows from it.
INSERT INTO object_reading (account, kind, object_id, event_id, as_of, read_at, object)
VALUES (
    %(account)s, %(kind)s, %(object_id)s, %(event_id)s, %(as_of)s, %(read_at)s, %(object)s::jsonb
)
RETURNING object_reading_id
