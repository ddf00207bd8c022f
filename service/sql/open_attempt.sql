-- Committed before the call. The unique index on open attempts refuses a second one on the lane, whoever asks.
INSERT INTO attempt (lane_id, meter_event_id, generation, idempotency_key, fence)
SELECT lane_id, meter_event_id, generation, %(idempotency_key)s, %(fence)s
FROM meter_event
WHERE meter_event_id = %(meter_event_id)s AND state IN ('sealed', 'unknown')
RETURNING attempt_id
