-- Minutes with held meter events that are due to be read back, the longest unread first. The time moves on as they are
-- claimed, so that a claim by a worker that dies comes back by itself. What a person discarded is not asked about.
WITH claimed AS (
    UPDATE meter_event
    SET read_back_at = ledger_now() + %(claim)s
    WHERE meter_event_id IN (
        SELECT m.meter_event_id
        FROM meter_event AS m
        JOIN lane AS l USING (lane_id)
        WHERE l.account = %(account)s AND m.state = 'held' AND NOT is_closed('me-' || m.meter_event_id)
            AND (m.read_back_at IS NULL OR m.read_back_at <= ledger_now())
        ORDER BY m.read_back_at NULLS FIRST, m.meter_event_id
        LIMIT %(held_max)s
        FOR UPDATE OF m SKIP LOCKED
    )
    RETURNING lane_id, meter_stripe_id, formula, date_bin('1 minute', stamped_at, 'epoch') AS start
)
SELECT DISTINCT lane_id, l.customer, l.meter, c.meter_stripe_id, c.formula, c.start
FROM claimed AS c
JOIN lane AS l USING (lane_id)
