-- One statement, so that no two deliveries at once can both be the first. An event of the other mode than the pinned
-- account's answers no row and leaves none: a live event must not move a test ledger.
INSERT INTO event (account, event_id, type, api_version, is_live, created_at, object_id, body)
SELECT
    %(account)s, %(event_id)s, %(type)s, %(api_version)s, %(is_live)s, %(created_at)s, %(object_id)s, %(body)s
WHERE NOT EXISTS (
    SELECT FROM account AS a WHERE a.account = %(account)s AND a.is_live <> %(is_live)s
)
ON CONFLICT (account, event_id) DO UPDATE
SET deliveries = event.deliveries + 1
RETURNING deliveries
