-- A cancellation that Stripe refuses, with what an entry in its place needs; none where it does not count any more, because
-- Stripe itself has rejected it since.
SELECT
    c.correction_id, c.action_id, c.units, m.meter_event_id, l.account, l.customer, l.meter, m.stamped_at AS at,
    closing.invoice IS NOT NULL OR m.stamped_at <= ledger_now() - %(age_max)s::interval AS is_late, ledger_now() AS now
FROM correction AS c
JOIN meter_event AS m USING (meter_event_id)
JOIN lane AS l USING (lane_id)
LEFT JOIN LATERAL closing_of(l.account, l.customer, m.meter_stripe_id, m.stamped_at) AS closing ON true
WHERE c.correction_id = %(correction_id)s AND m.state = 'confirmed'
