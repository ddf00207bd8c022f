-- What an event may be about of what was reported: what an error report names or makes suspect; what falls into an
-- invoice's period; what was reported for the customer or the meter, the newest first.
WITH about AS (
    SELECT
        e.account, e.event_id, e.object_id,
        coalesce(s.customer, i.customer, e.object_id) AS customer,
        coalesce(i.period_start, '-infinity') AS since, coalesce(i.period_end, 'infinity') AS until
    FROM event AS e
    LEFT JOIN subscription AS s ON (s.account, s.subscription) = (e.account, e.object_id)
    LEFT JOIN invoice AS i ON (i.account, i.invoice) = (e.account, e.object_id)
    WHERE e.event_id = %(event_id)s
), concerned AS (
    SELECT e.meter_event_id FROM error_sample AS e JOIN about USING (account, event_id)
    UNION
    SELECT u.meter_event_id FROM suspect AS u JOIN about USING (account, event_id)
    UNION
    SELECT m.meter_event_id
    FROM about AS a
    JOIN lane AS l ON (l.account, l.customer) = (a.account, a.customer)
    JOIN meter_event AS m ON m.lane_id = l.lane_id AND m.stamped_at >= a.since AND m.stamped_at < a.until
)
SELECT 'me-' || m.meter_event_id AS letter, l.customer, l.meter, m.value, m.entries AS rows, m.stamped_at, m.state
FROM concerned
JOIN meter_event AS m USING (meter_event_id)
JOIN lane AS l USING (lane_id)
ORDER BY m.meter_event_id DESC
LIMIT %(items_max)s
