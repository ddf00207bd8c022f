-- Whether this is still the ledger that made the last call: it knows what the witnesses saw, and runs on the same server.
-- One round trip, asked before anything is sent and on every new connection.
WITH witnessed AS (
    SELECT w.attempt_id, w.idempotency_key
    FROM unnest(%(attempt_ids)s::bigint[], %(keys)s::text[]) AS w(attempt_id, idempotency_key)
    WHERE NOT EXISTS (
        SELECT FROM attempt AS a WHERE (a.attempt_id, a.idempotency_key) = (w.attempt_id, w.idempotency_key)
    )
        AND NOT EXISTS (SELECT FROM epoch AS e WHERE w.attempt_id BETWEEN e.forgotten_from AND e.forgotten_until)
    ORDER BY w.attempt_id DESC
    LIMIT 1
)
SELECT
    newest.epoch_id IS NOT NULL AS is_begun,
    EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL) AS is_open,
    coalesce(newest.server <> newest.server_now, false) AS is_elsewhere,
    w.attempt_id AS forgotten_id,
    w.idempotency_key AS forgotten_key
FROM (VALUES (1)) AS always
LEFT JOIN witnessed AS w ON true
LEFT JOIN LATERAL (
    SELECT epoch_id, server, server_identity() AS server_now FROM epoch ORDER BY epoch_id DESC LIMIT 1
) AS newest ON true
