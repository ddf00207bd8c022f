-- Lock the lane, see whether it is still ours, and keep it for longer than a call can take. The fence alone decides: a
-- lease that ran out and that nobody took is ours to renew.
UPDATE lane
SET lease_until = ledger_now() + %(lease)s
WHERE lane_id = %(lane_id)s AND fence = %(fence)s
