-- In the transaction that moves the cursor over it: what cannot be read any more is a fact, and not silence.
INSERT INTO event_gap (account, stream, gap_from, gap_to)
VALUES (%(account)s, %(stream)s, %(gap_from)s, %(gap_to)s)
ON CONFLICT DO NOTHING
