-- One statement, in the order of the reasons, so that two doors wait for each other and not both for ever. Where an hour
-- has its samples already, another door's do not count: the key has room for five. Counts are kept for five weeks and
-- samples for one, so that neither table grows.
WITH counted AS (
    INSERT INTO stranger AS s (account, hour, reason, requests)
    SELECT %(account)s, date_trunc('hour', ledger_now()), t.reason, t.requests
    FROM unnest(%(reasons)s::text[], %(requests)s::bigint[]) AS t (reason, requests)
    ORDER BY t.reason
    ON CONFLICT (account, hour, reason) DO UPDATE
    SET requests = s.requests + excluded.requests
), sampled AS (
    INSERT INTO stranger_sample (
        account, hour, reason, n, received_at, remote_address, content_length, signature, body
    )
    SELECT %(account)s, date_trunc('hour', ledger_now()), t.*
    FROM unnest(
        %(sampled)s::text[], %(numbers)s::smallint[], %(received_ats)s::timestamptz[], %(remote_addresses)s::text[],
        %(content_lengths)s::bigint[], %(signatures)s::text[], %(bodies)s::text[]
    ) AS t
    ORDER BY 3, 4
    ON CONFLICT (account, hour, reason, n) DO NOTHING
), forgotten AS (
    DELETE FROM stranger
    WHERE account = %(account)s AND hour < ledger_now() - interval '35 days'
)
DELETE FROM stranger_sample
WHERE account = %(account)s AND hour < ledger_now() - interval '7 days'
