-- Give the customer back and say when he is next wanted. After `lock_signup_lane`, in the same transaction.
UPDATE signup_lane
SET lease_until = NULL,
    due_at = (
        SELECT greatest(min(s.due_at), ledger_now() + %(rest)s)
        FROM signup AS s
        WHERE s.signup_lane_id = signup_lane.signup_lane_id AND s.state IN ('due', 'unknown', 'held')
            AND NOT is_closed('su-' || s.signup_id)
        HAVING min(s.due_at) IS NOT NULL
    )
WHERE signup_lane_id = %(signup_lane_id)s AND fence = %(fence)s
