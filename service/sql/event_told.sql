-- One event of Stripe's as it came, and how far its effect is.
SELECT
    account, event_id, type, api_version, created_at, object_id, received_at, deliveries, state, failures, reason,
    applied_at
FROM event
WHERE event_id = %(event_id)s
