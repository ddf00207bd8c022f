-- Whether what was sealed is billed, told anew for the time of which something else is known now. After
-- `lock_billed_lanes`.
UPDATE meter_event AS m
SET is_unbilled = NOT m.is_unbilled
FROM unnest(%(customers)s::text[], %(meters)s::text[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
    AS changed (customer, meter_stripe_id, since, until)
JOIN lane AS l ON (l.account, l.customer) = (%(account)s, changed.customer)
WHERE m.lane_id = l.lane_id AND m.meter_stripe_id = changed.meter_stripe_id
    AND m.stamped_at >= changed.since AND m.stamped_at < changed.until
    AND m.is_unbilled = is_billed(l.account, l.customer, m.meter_stripe_id, m.stamped_at)
