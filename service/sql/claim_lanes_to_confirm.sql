-- Lanes with acceptances to confirm. The time moves on as they are claimed, so that a claim by a worker that dies
-- comes back by itself.
UPDATE lane
SET confirm_at = ledger_now() + %(claim)s
WHERE lane_id IN (
    SELECT lane_id
    FROM lane
    WHERE account = %(account)s AND confirm_at <= ledger_now()
    ORDER BY confirm_at
    LIMIT %(lanes_max)s
    FOR UPDATE SKIP LOCKED
)
RETURNING lane_id, customer, meter
