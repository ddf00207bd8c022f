-- What of Stripe's lists could not be read in time, the newest first.
SELECT stream, gap_from, gap_to, noted_at
FROM event_gap
WHERE account = %(account)s
ORDER BY gap_to DESC, stream
LIMIT %(gaps_max)s
