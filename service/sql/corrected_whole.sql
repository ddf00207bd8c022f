-- Meter events of a backfill's entries alone that were corrected as a whole: what is left of them once all their entries are
-- taken back is taken back as well.
SELECT
    0::bigint AS place, NULL::bigint AS entry_id, m.meter_event_id, l.lane_id, l.account, l.customer, l.meter, m.formula,
    NULL AS state, units_of_meter_event(m.meter_event_id) AS units, false AS is_taken_back, false AS is_moving,
    false AS is_late, lateness(l.account, l.customer, m.meter_stripe_id, m.stamped_at) AS lateness,
    is_billed_at(l.account, l.customer, m.meter_stripe_id, ledger_now()) AS is_billed_now,
    m.stamped_at AS at, ledger_now() AS now
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE m.meter_event_id IN (SELECT c.meter_event_id FROM correction AS c WHERE c.kind = 'corrected')
    AND NOT EXISTS (SELECT FROM correction AS r WHERE r.meter_event_id = m.meter_event_id AND r.kind = 'reverted')
    AND NOT EXISTS (
        SELECT FROM entry AS e
        LEFT JOIN backfill_row AS b ON b.entry_id = e.entry_id AND b.backfill_id = %(backfill_id)s
        WHERE e.meter_event_id = m.meter_event_id AND b.state IS DISTINCT FROM 'reverted'
    )
    AND units_of_meter_event(m.meter_event_id) <> 0
ORDER BY m.meter_event_id
LIMIT %(rows_max)s
