-- Take customers of whom something is due and who are free, the longest waiting first. SKIP LOCKED: what another worker is
-- taking is not waited for. The fence grows with every lease, so that an older holder's refusals can be told from ours.
-- An open breaker is waited for, but its trial is a meter event's: these calls neither open it nor close it. From a
-- restored ledger that nobody has confirmed none is taken.
WITH due AS MATERIALIZED (
    SELECT l.signup_lane_id
    FROM signup_lane AS l
    WHERE l.account = %(account)s AND l.due_at <= ledger_now()
        AND (l.lease_until IS NULL OR l.lease_until <= ledger_now())
        AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter = '*')
    ORDER BY l.due_at
    LIMIT %(lanes_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE signup_lane AS l
SET fence = fence + 1, lease_until = ledger_now() + %(lease)s
FROM due
WHERE l.signup_lane_id = due.signup_lane_id
RETURNING l.signup_lane_id, l.fence
