-- Take lanes that are due and free, those that a draft bills before the others, and the longest waiting first: a lane
-- that has had its turn goes to the end of the line. SKIP LOCKED: what another worker is taking is not waited for. The
-- fence grows with every lease, so that an older holder's refusals can be told from ours. From a restored ledger that
-- nobody has confirmed, none is taken. MATERIALIZED, as wherever so many are locked: a plan may run a subquery anew for
-- each row, and take as many each time.
WITH due AS MATERIALIZED (
    SELECT lane_id
    FROM lane
    WHERE account = %(account)s AND due_at <= ledger_now()
        AND (lease_until IS NULL OR lease_until <= ledger_now())
        AND NOT EXISTS (
            SELECT FROM account AS a WHERE a.account = lane.account AND (a.openings > 0 OR a.paused_until > ledger_now())
        )
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = lane.account AND p.meter IN ('*', lane.meter))
    ORDER BY (closes_at IS NULL), due_at
    LIMIT %(lanes_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE lane
SET fence = fence + 1, lease_until = ledger_now() + %(lease)s
FROM due
WHERE lane.lane_id = due.lane_id
RETURNING lane.lane_id, lane.fence
