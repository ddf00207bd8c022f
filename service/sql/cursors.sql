-- How far Stripe's lists of events are read.
SELECT account, is_live, stream, read_to, read_until, chunk, page, ledger_now() AS now
FROM event_cursor
JOIN account USING (account)
WHERE account = %(account)s
ORDER BY stream
