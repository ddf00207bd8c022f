-- Once an account: what Stripe created before the ledger was its own is not asked for, and was never to be pushed.
INSERT INTO event_cursor (account, stream, read_to)
SELECT account, stream, greatest(pinned_at, ledger_now() - %(kept)s)
FROM account, unnest(%(streams)s::text[]) AS told (stream)
WHERE account = %(account)s
ON CONFLICT DO NOTHING
