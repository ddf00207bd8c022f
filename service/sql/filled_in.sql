-- Entries of a backfill that are to be taken back, with all that is known of each. What is sealed counts at the time that
-- Stripe was told, which a boundary that was learnt later may divide from its own; and what still waits in a stretch whose
-- invoice is final is late already, so that nothing of it is on an invoice.
SELECT
    b.place, b.entry_id, NULL::bigint AS meter_event_id, l.lane_id, l.account, l.customer, l.meter,
    coalesce(m.formula, k.formula, 'unknown') AS formula, m.state, units_of_entry(b.entry_id) AS units,
    coalesce(m.state = 'cancelled' OR (
        EXISTS (SELECT FROM correction AS c WHERE c.meter_event_id = m.meter_event_id AND c.kind = 'corrected')
        AND units_of_meter_event(m.meter_event_id) = 0
    ), false) AS is_taken_back,
    coalesce(is_being_taken_back(m.meter_event_id), false) AS is_moving,
    EXISTS (
        SELECT FROM late_usage AS u
        JOIN late_meter_event AS late USING (meter_event_id)
        WHERE u.meter_event_id = m.meter_event_id
    ) OR EXISTS (SELECT FROM closed_without(l.account, l.customer, m)) OR (
        m.meter_event_id IS NULL AND EXISTS (SELECT FROM closing_of(l.account, l.customer, k.stripe_id, e.occurred_at))
    ) AS is_late,
    lateness(l.account, l.customer, coalesce(m.meter_stripe_id, k.stripe_id), told.at) AS lateness,
    is_billed_at(l.account, l.customer, coalesce(m.meter_stripe_id, k.stripe_id), ledger_now()) AS is_billed_now,
    told.at, ledger_now() AS now
FROM backfill_row AS b
JOIN entry AS e USING (entry_id)
JOIN lane AS l USING (lane_id)
LEFT JOIN meter_event AS m USING (meter_event_id)
LEFT JOIN meter AS k ON (k.account, k.meter) = (l.account, l.meter)
CROSS JOIN LATERAL (SELECT coalesce(m.stamped_at, e.occurred_at) AS at) AS told
WHERE b.backfill_id = %(backfill_id)s AND b.state = 'recorded' AND b.place > %(after)s
ORDER BY b.place
LIMIT %(rows_max)s
