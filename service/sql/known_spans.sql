-- What the ledger knows of a lane's books on one meter, by days or minutes: what counts, what may count, and what was
-- found there before. A meter event whose rows came again is told by its externals, each at its own minute.
SELECT
    start,
    coalesce(sum(value) FILTER (WHERE counts), 0) AS counted,
    coalesce(array_agg(value) FILTER (WHERE may_count), '{}') AS doubtful,
    bool_or(is_unsettled) AS is_unsettled
FROM (
    SELECT
        date_bin(%(length)s, stamped_at, 'epoch') AS start,
        CASE formula WHEN 'count' THEN 1 ELSE value END AS value,
        state IN ('accepted', 'confirmed') AND (accepted_at IS NOT NULL OR state = 'accepted')
            AND NOT is_being_taken_back(meter_event_id) AS counts,
        state IN ('sealed', 'unknown', 'held', 'conflict') OR is_being_taken_back(meter_event_id) AS may_count,
        state = 'accepted' AS is_unsettled
    FROM meter_event
    WHERE lane_id = %(lane_id)s AND meter_stripe_id = %(meter_stripe_id)s AND NOT is_external
        AND stamped_at >= %(start)s AND stamped_at < %(end)s
    UNION ALL
    SELECT date_bin(%(length)s, minute, 'epoch'), value, true, false, false
    FROM external
    WHERE lane_id = %(lane_id)s AND meter_stripe_id = %(meter_stripe_id)s
        AND minute >= %(start)s AND minute < %(end)s
) AS books
GROUP BY start
ORDER BY start
