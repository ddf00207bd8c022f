-- Usage that waits and cannot be sent, one line a lane: Stripe has no meter of its name, or none that takes it. Asked in the
-- place of all that is unbilled, and a part of it, where that is sent in silence: for what cannot be sent, silence would be
-- its end. It is urgent in the last two days in which Stripe would take it.
SELECT
    concat_ws('/', l.customer, l.meter) AS subject,
    min(e.occurred_at) < ledger_now() - interval '32 days' AS is_urgent,
    l.customer,
    l.meter,
    NULL::text AS item,
    NULL::text AS price,
    NULL::timestamptz AS stretch_start,
    count(*) AS rows,
    CASE k.formula
        WHEN 'count' THEN count(*)
        WHEN 'last' THEN (array_agg(e.value ORDER BY e.occurred_at DESC))[1]
        ELSE sum(e.value)
    END AS units,
    NULL::text AS invoice,
    min(e.occurred_at) AS since,
    max(e.occurred_at) AS until,
    min(e.occurred_at) + interval '34 days' AS deadline,
    format(
        CASE
            WHEN k.meter IS NULL THEN 'no meter %%1$s is known at Stripe; create it with meterpost meter create %%1$s'
            WHEN NOT k.is_active THEN 'the meter %%1$s is not active at Stripe, so that nothing of it is sent'
            ELSE 'the meter %%1$s is of a kind that nothing is sent to; see meterpost doctor'
        END,
        l.meter
    ) AS said
FROM (SELECT lane_id, bucket FROM unsealed GROUP BY lane_id, bucket) AS b
JOIN lane AS l USING (lane_id)
LEFT JOIN meter AS k USING (account, meter)
JOIN entry AS e USING (lane_id, bucket)
JOIN intake AS i USING (intake_id)
WHERE l.account = %(account)s AND e.meter_event_id IS NULL AND i.recorded_at <= ledger_now() - interval '15 seconds'
    AND (k.is_active AND k.event_time_window IS NULL AND k.formula IN ('sum', 'count', 'last')) IS NOT TRUE
    AND NOT is_billed(l.account, l.customer, k.stripe_id, e.occurred_at)
GROUP BY l.customer, l.meter, k.meter, k.formula, k.is_active
HAVING coalesce(k.formula, 'sum') <> 'sum' OR sum(e.value) <> 0
ORDER BY since, subject
