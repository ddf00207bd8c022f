-- One meter event, as it stands now.
SELECT *
FROM meter_event_now
WHERE meter_event_id = %(meter_event_id)s
