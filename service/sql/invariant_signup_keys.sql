-- A next key creates anew: it takes lists that prove that nothing was made under the one before, or no call under that one
-- that may have made something. And none is used once Stripe may have forgotten it.
WITH creation AS (
    SELECT a.*, s.identifier, s.signup_id AS of_signup,
        CASE WHEN a.idempotency_key = s.identifier THEN 0
            ELSE replace(a.idempotency_key, s.identifier || '.', '')::integer END AS key_number
    FROM signup_attempt AS a
    JOIN signup AS s USING (signup_id)
    WHERE a.step = 'create'
), doubt AS (
    SELECT signup_id, key_number, min(started_at) AS since, max(coalesce(ended_at, started_at)) AS until
    FROM creation
    WHERE outcome IS NULL OR outcome = 'unknown'
    GROUP BY signup_id, key_number
)
SELECT subject, said
FROM (
    SELECT 'su-' || c.signup_id AS subject,
        format('%%s was called for, and a call under the key before it may have made it since %%s', c.idempotency_key, d.since)
            AS said
    FROM creation AS c
    JOIN doubt AS d ON d.signup_id = c.signup_id AND d.key_number < c.key_number
    WHERE (
        SELECT coalesce(max(l.read_at) - min(l.read_at), '0') < %(listing_again)s
        FROM signup_listing AS l
        WHERE l.signup_id = d.signup_id AND l.key_number = d.key_number AND l.read_at >= d.until
            AND l.read_at < c.started_at AND l.verdict IN ('clear', 'duplicate')
    )
    UNION ALL
    SELECT 'su-' || c.signup_id,
        format('%%s was called for at %%s, %%s after the first doubt', c.idempotency_key, c.started_at, c.started_at - d.since)
    FROM creation AS c
    JOIN doubt AS d USING (signup_id, key_number)
    WHERE c.started_at >= d.since + %(window)s
) AS found
LIMIT %(breaches_max)s
