-- Lanes with acceptances to confirm. The time moves on as they are claimed, so that a claim by a worker that dies
-- comes back by itself.
WITH due AS MATERIALIZED (
    SELECT lane_id
    FROM lane
    WHERE account = %(account)s AND confirm_at <= ledger_now()
    ORDER BY confirm_at
    LIMIT %(lanes_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE lane
SET confirm_at = ledger_now() + %(claim)s
FROM due
WHERE lane.lane_id = due.lane_id
RETURNING lane.lane_id, lane.customer, lane.meter
