-- What of Stripe's lists could not be read in time, the newest first. The horizon moves on while nothing can be read, so
-- that one gap may be noted in several pieces.
SELECT
    stream, lower(span) AS gap_from, upper(span) AS gap_to,
    (
        SELECT max(noted_at)
        FROM event_gap AS piece
        WHERE (piece.account, piece.stream) = (%(account)s, whole.stream) AND span @> piece.gap_from
    ) AS noted_at
FROM (
    SELECT stream, unnest(range_agg(tstzrange(gap_from, gap_to))) AS span
    FROM event_gap
    WHERE account = %(account)s
    GROUP BY stream
) AS whole
ORDER BY gap_to DESC, stream
LIMIT %(gaps_max)s
