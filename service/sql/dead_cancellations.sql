-- Cancellations left open by a holder that is gone: the lease was taken over, so nobody will close them but us.
SELECT cancellation_id, meter_event_id
FROM cancellation
WHERE lane_id = %(lane_id)s AND ended_at IS NULL AND fence < %(fence)s
