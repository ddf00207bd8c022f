-- A page of events, the newest first; null: any. Behind a place, which is a time and an id, because many share a second.
SELECT
    account, event_id, type, api_version, is_live, created_at, object_id, received_at, deliveries, delivered_at,
    last_delivered_at, verified_by, last_verified_by, found_by, missed_at, state, failures, reason, applied_at
FROM event
WHERE (%(type)s::text IS NULL OR type LIKE %(type)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
    AND (NOT %(is_missed)s OR (deliveries = 0 AND missed_at IS NOT NULL))
    AND (%(after_id)s::text IS NULL OR (received_at, event_id) < (%(after_at)s::timestamptz, %(after_id)s))
ORDER BY received_at DESC, event_id DESC
LIMIT %(events_max)s
