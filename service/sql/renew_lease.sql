-- Before every call: the lane must still be ours, and stay ours for longer than a call can take.
UPDATE lane
SET lease_until = ledger_now() + %(lease)s
WHERE lane_id = %(lane_id)s AND fence = %(fence)s AND lease_until > ledger_now()
    AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = lane.account AND a.paused_until > ledger_now())
