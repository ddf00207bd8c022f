-- A lane's books by the hour, for the hours in which an acceptance waits: what Stripe's summary must say if it counted
-- each once. An hour in which something is still to be sent, or is held, is told apart: its sum may be either of two.
WITH waiting AS (
    SELECT DISTINCT date_bin('1 hour', stamped_at, 'epoch') AS hour
    FROM meter_event
    WHERE lane_id = %(lane_id)s AND state = 'accepted'
)
SELECT
    w.hour,
    CASE %(formula)s
        WHEN 'count' THEN count(*) FILTER (WHERE counts)
        WHEN 'last' THEN (array_agg(m.value ORDER BY m.stamped_at DESC, m.meter_event_id DESC) FILTER (WHERE counts))[1]
        ELSE sum(m.value) FILTER (WHERE counts)
    END AS value,
    array_agg(m.meter_event_id ORDER BY m.meter_event_id) FILTER (WHERE m.state = 'accepted') AS accepted_ids,
    coalesce(
        array_agg(m.meter_event_id ORDER BY m.meter_event_id) FILTER (WHERE m.state = 'accepted' AND m.minute IS NULL),
        '{}'
    ) AS minuteless_ids,
    bool_or(m.state IN ('sealed', 'unknown')) AS is_moving,
    bool_or(m.state IN ('held', 'conflict')) AS is_held,
    max(m.accepted_at) FILTER (WHERE m.state = 'accepted') < ledger_now() - %(missing_after)s AS is_overdue
FROM waiting AS w
JOIN meter_event AS m
    ON m.lane_id = %(lane_id)s AND m.stamped_at >= w.hour AND m.stamped_at < w.hour + interval '1 hour'
CROSS JOIN LATERAL (
    SELECT m.state IN ('accepted', 'confirmed') AND (m.accepted_at IS NOT NULL OR m.state = 'accepted') AS counts
) AS c
WHERE %(open_hours)s OR w.hour + interval '1 hour' <= ledger_now()
GROUP BY w.hour
ORDER BY w.hour
