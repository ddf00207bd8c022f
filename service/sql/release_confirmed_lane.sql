-- When to look again, if anything is left to confirm. After `lock_lane`, in the same transaction.
UPDATE lane
SET confirm_at = (
    SELECT ledger_now() + %(wait)s
    WHERE EXISTS (SELECT FROM meter_event AS m WHERE m.lane_id = lane.lane_id AND m.state = 'accepted')
)
WHERE lane_id = %(lane_id)s
