-- Everything that deciding and calling need about one meter event.
SELECT
    m.meter_event_id, m.lane_id, l.account, l.meter, m.state, m.generation, g.identifier, g.ambiguous_since, m.payload,
    m.stamped_at, ledger_now() AS now
FROM meter_event AS m
JOIN generation AS g USING (meter_event_id, generation)
JOIN lane AS l USING (lane_id)
WHERE m.meter_event_id = %(meter_event_id)s
