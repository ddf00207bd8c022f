-- A meter event as the desk must know it before it acts: asked once for its lane, and again under the lane's lock.
SELECT lane_id, state, generation
FROM meter_event
WHERE meter_event_id = %(meter_event_id)s
