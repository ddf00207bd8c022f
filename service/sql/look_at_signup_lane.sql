-- For whoever changes when one of its signups is due, beside the lease: after `lock_signup_lane`, in the same transaction.
UPDATE signup_lane
SET due_at = least(due_at, ledger_now())
WHERE signup_lane_id = %(signup_lane_id)s
