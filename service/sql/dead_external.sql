-- Read twice, before and after the lock of its lane.
SELECT lane_id, meter_event_id
FROM external
WHERE external_id = %(external_id)s
