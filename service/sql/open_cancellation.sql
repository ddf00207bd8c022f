-- Committed before the call. The unique index on open ones refuses a second one on the lane, whoever asks.
INSERT INTO cancellation (lane_id, meter_event_id, generation, identifier, idempotency_key, fence)
VALUES (
    %(lane_id)s, %(meter_event_id)s, %(generation)s, %(identifier)s, %(idempotency_key)s, %(fence)s
)
RETURNING cancellation_id
