-- Everything that deciding and calling need about one meter event.
SELECT
    m.meter_event_id, m.lane_id, l.account, l.meter, m.state, m.generation, g.identifier, g.ambiguous_since, m.payload,
    m.stamped_at, ledger_now() AS now,
    EXISTS (
        SELECT FROM meter_event AS other
        WHERE other.lane_id = m.lane_id AND other.state IN ('sealed', 'unknown') AND other.due_at <= ledger_now()
            AND other.meter_event_id <> m.meter_event_id
    ) AS is_followed
FROM meter_event AS m
JOIN generation AS g USING (meter_event_id, generation)
JOIN lane AS l USING (lane_id)
WHERE m.meter_event_id = %(meter_event_id)s
