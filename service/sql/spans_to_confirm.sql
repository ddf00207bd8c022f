-- A lane's books by the hour or the minute, where an acceptance waits: what Stripe's summary must say if it counted each
-- once. A span in which something is still to be sent or taken back, or is held, is told apart: its sum may be either of
-- two. By the meter as sealed, because each meter has books of its own. What was read the longest ago comes first, so that what
-- cannot be settled never keeps the rest waiting. What is suspect is read before its hour is over, and said to be so
-- once ordinary lags are over.
WITH waiting AS (
    SELECT
        meter_stripe_id, formula, date_bin(%(length)s, stamped_at, 'epoch') AS start,
        min(coalesce(checked_at, '-infinity')) AS checked_at
    FROM meter_event
    WHERE lane_id = %(lane_id)s AND state = 'accepted'
        AND (%(hours)s::timestamptz[] IS NULL OR date_bin('1 hour', stamped_at, 'epoch') = ANY(%(hours)s))
        AND (%(open_hours)s OR date_bin('1 hour', stamped_at, 'epoch') + interval '1 hour' <= ledger_now() OR EXISTS (
            SELECT FROM suspect AS s
            WHERE (s.meter_event_id, s.generation) = (meter_event.meter_event_id, meter_event.generation)
        ))
    GROUP BY meter_stripe_id, formula, start
)
SELECT
    w.meter_stripe_id, w.formula, w.start, %(length)s AS length,
    CASE w.formula
        WHEN 'count' THEN count(*) FILTER (WHERE counts)
        WHEN 'last' THEN (array_agg(m.value ORDER BY m.stamped_at DESC, m.meter_event_id DESC) FILTER (WHERE counts))[1]
        ELSE sum(m.value) FILTER (WHERE counts)
    END AS value,
    array_agg(m.meter_event_id ORDER BY m.meter_event_id) FILTER (WHERE m.state = 'accepted') AS accepted_ids,
    bool_or(m.state IN ('sealed', 'unknown') OR is_being_taken_back(m.meter_event_id)) AS is_moving,
    bool_or(m.state IN ('held', 'conflict')) AS is_held,
    max(m.accepted_at) FILTER (WHERE m.state = 'accepted') < ledger_now() - %(missing_after)s AS is_overdue,
    max(suspicion(m.meter_event_id, m.generation)) FILTER (
        WHERE m.state = 'accepted' AND m.accepted_at <= ledger_now() - %(suspect_after)s
    ) AS suspicion
FROM waiting AS w
JOIN meter_event AS m
    ON m.lane_id = %(lane_id)s AND (m.meter_stripe_id, m.formula) = (w.meter_stripe_id, w.formula)
    AND m.stamped_at >= w.start AND m.stamped_at < w.start + %(length)s
CROSS JOIN LATERAL (
    SELECT m.state IN ('accepted', 'confirmed') AND (m.accepted_at IS NOT NULL OR m.state = 'accepted') AS counts
) AS c
GROUP BY w.meter_stripe_id, w.formula, w.start, w.checked_at
ORDER BY w.checked_at, w.start
