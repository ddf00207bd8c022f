-- All that is known of a meter event, or of one entry, that decides how it is corrected. Of a `count` meter event the units
-- are the one that it counts for. What is sealed counts at the time that Stripe was told, which a boundary that was learnt
-- later may divide from its own. A call that was replayed, or was told that the identifier exists, brought in nothing.
SELECT
    l.lane_id, l.account, l.customer, l.meter, coalesce(m.meter_stripe_id, k.stripe_id) AS meter_stripe_id,
    coalesce(m.formula, k.formula, 'unknown') AS formula, m.meter_event_id, e.entry_id, m.generation, m.state,
    CASE
        WHEN coalesce(m.formula, k.formula) = 'count' THEN
            CASE WHEN m.state = 'cancelled' THEN 0 ELSE 1 END + coalesce((
                SELECT sum(c.units)
                FROM correction AS c
                WHERE c.kind = 'corrected' AND (c.meter_event_id = m.meter_event_id OR c.corrected_entry_id = e.entry_id)
            ), 0)
        WHEN e.entry_id IS NULL THEN units_of_meter_event(m.meter_event_id)
        ELSE units_of_entry(e.entry_id) - CASE WHEN m.state = 'cancelled' THEN e.value ELSE 0 END
    END AS units,
    coalesce(m.entries = 1, false) OR e.entry_id IS NULL AS is_whole,
    EXISTS (
        SELECT FROM correction AS c
        WHERE c.meter_event_id = m.meter_event_id
            OR c.corrected_entry_id IN (SELECT o.entry_id FROM entry AS o WHERE o.meter_event_id = m.meter_event_id)
            OR c.corrected_entry_id = e.entry_id
    ) AS is_corrected,
    coalesce(m.is_external, false) AS is_external,
    EXISTS (SELECT FROM surplus AS s WHERE s.meter_event_id = m.meter_event_id) AS is_called_off,
    coalesce(is_being_taken_back(m.meter_event_id), false) AS is_being_taken_back,
    called.received_after, coalesce(called.calls, 0) AS calls,
    lateness(l.account, l.customer, coalesce(m.meter_stripe_id, k.stripe_id), told.at) AS lateness,
    EXISTS (
        SELECT FROM late_meter_event AS late WHERE late.meter_event_id = m.meter_event_id AND late.state <> 'refused'
    ) OR EXISTS (SELECT FROM closed_without(l.account, l.customer, m)) OR (
        m.meter_event_id IS NULL AND EXISTS (SELECT FROM closing_of(l.account, l.customer, k.stripe_id, e.occurred_at))
    ) AS is_late,
    (
        SELECT c.row_id FROM correction AS c WHERE c.meter_event_id = m.meter_event_id AND c.kind = 'carried'
    ) AS carried_as,
    (
        SELECT max(c.row_id)
        FROM correction AS c
        WHERE e.entry_id IS NOT NULL AND c.meter_event_id = m.meter_event_id AND c.kind = 'corrected'
    ) AS corrected_as,
    is_billed_at(l.account, l.customer, coalesce(m.meter_stripe_id, k.stripe_id), ledger_now()) AS is_billed_now,
    told.at, ledger_now() AS now
FROM (SELECT %(meter_event_id)s::bigint AS meter_event_id, %(entry_id)s::bigint AS entry_id) AS wanted
LEFT JOIN entry AS e ON e.entry_id = wanted.entry_id
LEFT JOIN meter_event AS m ON m.meter_event_id = coalesce(wanted.meter_event_id, e.meter_event_id)
JOIN lane AS l ON l.lane_id = coalesce(e.lane_id, m.lane_id)
LEFT JOIN meter AS k ON (k.account, k.meter) = (l.account, l.meter)
CROSS JOIN LATERAL (SELECT coalesce(m.stamped_at, e.occurred_at) AS at) AS told
LEFT JOIN LATERAL (
    SELECT min(a.started_at) AS received_after, count(*) AS calls
    FROM attempt AS a
    WHERE a.meter_event_id = m.meter_event_id AND (
        a.outcome IS NULL OR a.outcome = 'unknown' OR (a.outcome = 'accepted' AND a.status = 200 AND NOT a.is_replayed)
    )
) AS called ON true
