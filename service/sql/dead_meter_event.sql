-- A meter event as the desk must know it before it acts: asked once for its lane, and again under the lane's lock.
SELECT
    m.lane_id, m.state, m.generation, m.confirmed_at IS NOT NULL AS is_confirmed,
    EXISTS (SELECT FROM attempt AS a WHERE a.meter_event_id = m.meter_event_id AND a.ended_at IS NULL) AS is_called,
    EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL) AS is_restored,
    EXISTS (
        SELECT FROM external AS x
        WHERE x.lane_id = m.lane_id AND x.minute = date_bin('1 minute', m.stamped_at, 'epoch') AND x.meter_event_id IS NULL
    ) AS is_counted,
    lateness(l.account, l.customer, m.meter_stripe_id, m.stamped_at) AS lateness
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE m.meter_event_id = %(meter_event_id)s
