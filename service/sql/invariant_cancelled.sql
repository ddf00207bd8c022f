-- A meter event is cancelled where a person took it back, Stripe was asked, and its books showed nothing of it then.
SELECT 'me-' || m.meter_event_id AS subject,
    CASE
        WHEN s.correction_id IS NULL THEN 'it is cancelled, and no person took it back'
        ELSE 'it is cancelled, and no reading of its minute after that call says so'
    END AS said
FROM meter_event AS m
LEFT JOIN surplus AS s ON s.meter_event_id = m.meter_event_id AND s.ending = 'cancelled'
WHERE m.state = 'cancelled' AND (s.correction_id IS NULL OR NOT EXISTS (
    SELECT FROM second_reading AS r
    WHERE (r.lane_id, r.meter_stripe_id, r.formula) = (m.lane_id, m.meter_stripe_id, m.formula)
        AND r.start <= m.stamped_at AND m.stamped_at < r.start + r.length
        AND r.verdict = 'agreed' AND r.read_at >= s.asked_at
))
LIMIT %(breaches_max)s
