-- A unit of rows to be filled. Once a name, whoever asks.
INSERT INTO backfill (account, name, opened_by)
VALUES (%(account)s, %(name)s, %(actor)s)
ON CONFLICT (account, name) DO NOTHING
