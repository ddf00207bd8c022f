-- Confirmed hours that are due to be read again, the longest waiting first and those of a lane together, of so many lanes
-- that a pass is short. The time moves on as they are claimed, so that a claim by a worker that dies comes back by itself.
WITH due AS MATERIALIZED (
    SELECT h.lane_id, h.meter_stripe_id, h.formula, h.hour, h.due_at
    FROM confirmed_hour AS h
    JOIN lane AS l USING (lane_id)
    WHERE l.account = %(account)s AND h.due_at <= ledger_now()
    ORDER BY h.due_at, h.lane_id, h.hour
    LIMIT %(hours_max)s
    FOR UPDATE OF h SKIP LOCKED
),
chosen AS (
    SELECT lane_id FROM due GROUP BY lane_id ORDER BY min(due_at), lane_id LIMIT %(lanes_max)s
),
claimed AS (
    UPDATE confirmed_hour AS h
    SET due_at = ledger_now() + %(claim)s
    FROM due AS d
    WHERE d.lane_id IN (SELECT lane_id FROM chosen)
        AND (h.lane_id, h.meter_stripe_id, h.formula, h.hour) = (d.lane_id, d.meter_stripe_id, d.formula, d.hour)
    RETURNING h.lane_id, h.meter_stripe_id, h.formula, h.hour
)
SELECT
    l.lane_id, l.customer, l.meter, c.meter_stripe_id, c.formula, array_agg(c.hour ORDER BY c.hour) AS hours
FROM claimed AS c
JOIN lane AS l USING (lane_id)
GROUP BY l.lane_id, l.customer, l.meter, c.meter_stripe_id, c.formula
ORDER BY l.lane_id
