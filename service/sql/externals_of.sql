-- What a comparison found, and what became of it.
SELECT
    'ex-' || x.external_id AS letter, l.customer, l.meter, x.minute, x.value, x.meter_event_id,
    is_closed('ex-' || x.external_id) AS is_discarded
FROM external AS x
JOIN lane AS l USING (lane_id)
WHERE x.epoch_id = %(epoch_id)s
ORDER BY x.external_id
LIMIT %(externals_max)s
