-- The trial succeeded. Calls that began before do not open it again, whenever they fail.
UPDATE account
SET openings = 0, paused_until = NULL, pause_reason = NULL, trial_lane = NULL, trial_until = NULL,
    answered_at = ledger_now()
WHERE account = %(account)s AND openings > 0 AND trial_lane = %(lane_id)s
