-- What a report names under its present identifier is refused in Stripe's words, whatever was believed of it. Where another
-- call may have brought in a copy of its own, only Stripe's books can tell; and where these had shown it, a person. What is
-- refused or in conflict already stays as it is.
UPDATE meter_event AS m
SET state = n.state,
    reason = CASE n.state WHEN 'refused' THEN n.said ELSE n.said || '; ' || %(several)s END,
    due_at = NULL,
    read_back_at = NULL
FROM (
    SELECT DISTINCT ON (named.meter_event_id)
        named.meter_event_id, rejection(named.meter_event_id, named.generation) AS said,
        CASE
            WHEN NOT is_called_several_times(named.meter_event_id, named.generation) THEN 'refused'
            WHEN named.state = 'confirmed' THEN 'conflict'
            ELSE 'held'
        END AS state
    FROM error_sample AS s
    JOIN meter_event AS named USING (meter_event_id, generation)
    WHERE (s.account, s.event_id) = (%(account)s, %(event_id)s)
        AND named.state IN ('sealed', 'unknown', 'accepted', 'confirmed', 'held')
) AS n
WHERE m.meter_event_id = n.meter_event_id
RETURNING m.meter_event_id, m.state, m.reason
