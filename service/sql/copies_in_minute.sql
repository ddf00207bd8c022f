-- The calls for each meter event of a minute that may have counted by themselves, by the identifier they were made under.
-- An answer that was replayed, or says that the identifier exists already, is of a call that counted nothing. What was
-- cancelled before is not cancelled again.
SELECT
    m.meter_event_id, a.generation, CASE m.formula WHEN 'count' THEN 1 ELSE m.value END AS adds,
    count(*) AS calls,
    max(a.ended_at) FILTER (WHERE a.outcome = 'accepted') AS received_at,
    bool_or(a.outcome IS DISTINCT FROM 'accepted') AS is_doubtful
FROM meter_event AS m
JOIN attempt AS a USING (meter_event_id)
WHERE m.lane_id = %(lane_id)s AND (m.meter_stripe_id, m.formula) = (%(meter_stripe_id)s, %(formula)s)
    AND m.stamped_at >= %(start)s AND m.stamped_at < %(start)s + interval '1 minute'
    AND (a.outcome IS NULL OR a.outcome = 'unknown' OR (a.outcome = 'accepted' AND a.status = 200 AND NOT a.is_replayed))
    AND NOT EXISTS (SELECT FROM surplus AS s WHERE s.meter_event_id = m.meter_event_id)
GROUP BY m.meter_event_id, a.generation
ORDER BY m.meter_event_id, a.generation
