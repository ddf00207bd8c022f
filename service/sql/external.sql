-- One of them with its lane, for its story.
SELECT x.epoch_id, l.customer, l.meter, x.minute, x.value, x.found_at, x.meter_event_id
FROM external AS x
JOIN lane AS l USING (lane_id)
WHERE x.external_id = %(external_id)s
