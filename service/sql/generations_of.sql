-- Every identifier under which a meter event was sent, the first one first.
SELECT meter_event_id, generation, identifier, ambiguous_since
FROM generation
WHERE meter_event_id = ANY (%(meter_event_ids)s)
ORDER BY meter_event_id, generation
