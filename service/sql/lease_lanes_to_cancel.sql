-- Take free lanes in which a cancellation is due, as a lane is taken to send: never two calls on one at once. SKIP LOCKED:
-- what another worker is taking is not waited for. Where nothing may be sent, nothing is cancelled; but a copy for which it
-- is too late needs no call, and does not wait for the brakes to be told.
WITH due AS MATERIALIZED (
    SELECT l.lane_id
    FROM lane AS l
    WHERE l.account = %(account)s AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND l.lane_id IN (
            SELECT m.lane_id
            FROM surplus AS s
            JOIN meter_event AS m USING (meter_event_id)
            WHERE s.due_at <= ledger_now() AND (
                s.cancel_until <= ledger_now() OR NOT EXISTS (
                    SELECT FROM account AS a
                    WHERE a.account = l.account AND (a.openings > 0 OR a.paused_until > ledger_now())
                ) AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
            )
        )
    LIMIT %(lanes_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE lane
SET fence = fence + 1, lease_until = ledger_now() + %(lease)s
FROM due
WHERE lane.lane_id = due.lane_id
RETURNING lane.lane_id, lane.fence
