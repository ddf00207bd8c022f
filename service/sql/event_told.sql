-- One event of Stripe's as it came, and how far its effect is.
SELECT
    account, event_id, type, api_version, is_live, created_at, object_id, received_at, deliveries, delivered_at,
    last_delivered_at, verified_by, last_verified_by, found_by, missed_at, state, failures, reason, applied_at
FROM event
WHERE event_id = %(event_id)s
