-- Before anything moves: whoever closes an attempt holds its lane, and comes before this or sees what the report says. In
-- order, so that two reports do not wait in a ring.
SELECT lane_id
FROM lane
WHERE lane_id IN (
    SELECT m.lane_id
    FROM error_sample AS s
    JOIN meter_event AS m USING (meter_event_id)
    WHERE (s.account, s.event_id) = (%(account)s, %(event_id)s)
    UNION
    SELECT m.lane_id
    FROM suspect AS s
    JOIN meter_event AS m USING (meter_event_id)
    WHERE (s.account, s.event_id) = (%(account)s, %(event_id)s)
)
ORDER BY lane_id
FOR UPDATE
