-- A trial whose call was not made tells nothing: the next worker may make one at once.
UPDATE account
SET trial_lane = NULL, trial_until = NULL
WHERE trial_lane = %(lane_id)s
