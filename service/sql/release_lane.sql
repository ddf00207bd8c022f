-- Give the lane back and say when it is next wanted. After `lock_lane`, in the same transaction.
UPDATE lane
SET lease_until = NULL,
    due_at = (
        SELECT greatest(min(m.due_at), ledger_now() + %(rest)s)
        FROM meter_event AS m
        WHERE m.lane_id = lane.lane_id AND m.state IN ('sealed', 'unknown')
        HAVING min(m.due_at) IS NOT NULL
    )
WHERE lane_id = %(lane_id)s AND fence = %(fence)s
