-- Lock the customer, see whether he is still ours, and keep him for longer than a call can take. The fence alone decides: a
-- lease that ran out and that nobody took is ours to renew.
UPDATE signup_lane
SET lease_until = ledger_now() + %(lease)s
WHERE signup_lane_id = %(signup_lane_id)s AND fence = %(fence)s
