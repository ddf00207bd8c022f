-- Stripe's books show nothing of what a person took back.
UPDATE meter_event
SET state = 'cancelled', reason = 'taken back by a person'
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'confirmed' AND EXISTS (
    SELECT FROM surplus AS s
    WHERE s.meter_event_id = meter_event.meter_event_id AND s.correction_id IS NOT NULL AND s.ending = 'cancelled'
)
