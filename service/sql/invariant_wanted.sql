-- The states are the truth and the lane's due times the way to find them; one without the other waits for ever.
SELECT 'lane ' || l.lane_id AS subject,
    format('meter event %%s is %%s, and nothing makes anybody look at its lane', min(m.meter_event_id), m.state) AS said
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE (m.state IN ('sealed', 'unknown') AND l.due_at IS NULL) OR (m.state = 'accepted' AND l.confirm_at IS NULL)
GROUP BY l.lane_id, m.state
LIMIT %(breaches_max)s
