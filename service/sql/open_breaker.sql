-- Nothing is called before this time. An open breaker is opened for longer by the call that was its trial alone: those
-- that were under way when it opened tell nothing new.
UPDATE account
SET openings = openings + 1,
    paused_until = ledger_now() + %(wait_min)s
        + %(chance)s * (least(%(wait_max)s, %(wait_min)s * 2 ^ least(openings, %(doublings_max)s)) - %(wait_min)s),
    pause_reason = %(reason)s,
    trial_lane = NULL,
    trial_until = NULL
WHERE account = %(account)s AND (openings = 0 OR trial_lane = %(trial_lane)s)
RETURNING openings, paused_until
