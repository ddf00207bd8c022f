-- What was asked of Stripe to cancel this meter event's copy, the first call first.
SELECT outcome, status, is_replayed
FROM cancellation
WHERE meter_event_id = %(meter_event_id)s
ORDER BY cancellation_id
