-- While the breaker is open and its wait is over: one lane for one call, in one process, because the account's row is
-- locked and leased with it. The longest waiting first; at every other trial one of those in doubt already, so that an
-- outage of days brings few others into it, and one lane's own trouble still cannot keep the breaker open.
WITH trial AS MATERIALIZED (
    SELECT l.lane_id, a.account
    FROM account AS a
    JOIN lane AS l USING (account)
    WHERE a.account = %(account)s AND a.openings > 0 AND a.paused_until <= ledger_now()
        AND (a.trial_until IS NULL OR a.trial_until <= ledger_now())
        AND l.due_at <= ledger_now() AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
    ORDER BY a.openings %% 2 = 0 AND EXISTS (
        SELECT FROM meter_event AS m WHERE m.lane_id = l.lane_id AND m.state = 'unknown' AND m.due_at <= ledger_now()
    ) DESC, l.due_at
    LIMIT 1
    FOR UPDATE OF a, l SKIP LOCKED
), leased AS (
    UPDATE account
    SET trial_lane = trial.lane_id, trial_until = ledger_now() + %(lease)s
    FROM trial
    WHERE account.account = trial.account
)
UPDATE lane
SET fence = fence + 1, lease_until = ledger_now() + %(lease)s
FROM trial
WHERE lane.lane_id = trial.lane_id
RETURNING lane.lane_id, lane.fence, true AS is_trial
