-- One statement, so that no two deliveries at once can both be the first. An event of the other mode than the pinned
-- account's answers no row and leaves none: a live event must not move a test ledger. Where it was found before it was
-- pushed, this is its first delivery. What lacks a part of its envelope is kept and never due.
INSERT INTO event AS e (
    account, event_id, type, api_version, is_live, created_at, object_id, body, delivered_at, last_delivered_at,
    verified_by, last_verified_by, state, due_at, reason
)
SELECT
    %(account)s, %(event_id)s, %(type)s, %(api_version)s, coalesce(%(is_live)s, a.is_live, false), %(created_at)s,
    %(object_id)s, %(body)s, ledger_now(), ledger_now(), %(verified_by)s, %(verified_by)s,
    CASE WHEN %(lacking)s::text IS NULL THEN 'received' ELSE 'ignored' END,
    CASE WHEN %(lacking)s::text IS NULL THEN ledger_now() END,
    %(lacking)s
FROM (VALUES (1)) AS one
LEFT JOIN account AS a ON a.account = %(account)s
WHERE a.is_live IS NULL OR a.is_live = coalesce(%(is_live)s, a.is_live)
ON CONFLICT (account, event_id) DO UPDATE
SET deliveries = e.deliveries + 1,
    last_delivered_at = excluded.last_delivered_at,
    last_verified_by = excluded.last_verified_by,
    delivered_at = coalesce(e.delivered_at, excluded.delivered_at),
    verified_by = CASE WHEN e.delivered_at IS NULL THEN excluded.verified_by ELSE e.verified_by END
RETURNING deliveries
