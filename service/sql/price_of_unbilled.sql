-- By what the usage of a lane that no stretch bills is rated where the rate card has nothing: its meter's only active price,
-- as its alarm is.
SELECT l.meter, coalesce(k.formula, 'sum') AS formula, sole.price, p.object AS price_object
FROM lane AS l
LEFT JOIN meter AS k USING (account, meter)
LEFT JOIN LATERAL (
    SELECT min(o.price) AS price
    FROM price AS o
    WHERE o.account = l.account AND o.meter_stripe_id = k.stripe_id AND o.usage_type = 'metered' AND o.is_active
        AND NOT o.is_deleted
    HAVING count(*) = 1
) AS sole ON true
LEFT JOIN mirror AS p ON (p.account, p.kind, p.object_id) = (l.account, 'price', sole.price) AND NOT p.is_deleted
WHERE l.lane_id = (
    SELECT lane_id FROM meter_event WHERE meter_event_id = %(meter_event_id)s
    UNION ALL
    SELECT lane_id FROM entry WHERE entry_id = %(entry_id)s
)
