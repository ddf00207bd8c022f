-- Whether an error report names this generation, and no other of its calls may have brought in a copy.
SELECT rejection(meter_event_id, generation) IS NOT NULL AND NOT is_called_several_times(meter_event_id, generation)
    AS is_rejected
FROM generation
WHERE (meter_event_id, generation) = (%(meter_event_id)s, %(generation)s)
