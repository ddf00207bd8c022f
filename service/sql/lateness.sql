-- Whether the invoice that would bill a meter event is final, in words.
SELECT lateness(l.account, l.customer, m.meter_stripe_id, m.stamped_at) AS lateness
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE m.meter_event_id = %(meter_event_id)s
