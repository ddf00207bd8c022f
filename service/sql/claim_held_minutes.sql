-- Minutes with held meter events that are due to be read back, the longest unread first. The time moves on as they are
-- claimed, so that a claim by a worker that dies comes back by itself. What a person discarded is not asked about.
WITH due AS MATERIALIZED (
    SELECT m.meter_event_id
    FROM meter_event AS m
    JOIN lane AS l USING (lane_id)
    WHERE l.account = %(account)s AND m.state = 'held' AND NOT is_closed('me-' || m.meter_event_id)
        AND (m.read_back_at IS NULL OR m.read_back_at <= ledger_now())
    ORDER BY m.read_back_at NULLS FIRST, m.meter_event_id
    LIMIT %(held_max)s
    FOR UPDATE OF m SKIP LOCKED
),
claimed AS (
    UPDATE meter_event AS m
    SET read_back_at = ledger_now() + %(claim)s
    FROM due
    WHERE m.meter_event_id = due.meter_event_id
    RETURNING m.lane_id, m.meter_stripe_id, m.formula, date_bin('1 minute', m.stamped_at, 'epoch') AS start
)
SELECT DISTINCT lane_id, l.customer, l.meter, c.meter_stripe_id, c.formula, c.start
FROM claimed AS c
JOIN lane AS l USING (lane_id)
