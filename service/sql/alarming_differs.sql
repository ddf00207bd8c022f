-- Final lines that are not what the ledger has for their stretch, one line a stretch. What it had when the invoice was
-- mirrored is written down with the stretch; where that differs, what Stripe took is summed up as it is known now:
-- something was in doubt then, and may have counted in time, too late or never. What is known to be late is told as
-- that, and no difference. Not of a stretch that was learnt long after it was closed.
SELECT
    concat_ws('/', s.invoice, s.item, s.price, extract(epoch FROM s.starts_at)::bigint) AS subject,
    false AS is_urgent,
    s.customer,
    now.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    now.rows,
    now.units - s.billed AS units,
    s.invoice,
    s.starts_at AS since,
    s.ends_at AS until,
    NULL::timestamptz AS deadline,
    format('the invoice has %%s, the ledger has %%s at Stripe', trim_scale(s.billed), trim_scale(now.units)) AS said
FROM stretch AS s
CROSS JOIN LATERAL (
    SELECT
        min(l.meter) AS meter,
        coalesce(sum(m.entries), 0)::bigint AS rows,
        greatest(0, coalesce(
            CASE max(m.formula)
                WHEN 'count' THEN count(*)
                WHEN 'last' THEN (array_agg(m.value ORDER BY m.stamped_at DESC, m.meter_event_id DESC))[1]
                ELSE sum(m.value)
            END, 0
        )) AS units
    FROM lane AS l
    JOIN meter_event AS m USING (lane_id)
    WHERE (l.account, l.customer, m.meter_stripe_id) = (s.account, s.customer, s.meter_stripe_id)
        AND m.stamped_at >= s.starts_at AND m.stamped_at < s.ends_at
        AND m.state IN ('accepted', 'confirmed', 'conflict') AND m.accepted_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM late_usage AS u WHERE u.meter_event_id = m.meter_event_id)
) AS now
WHERE s.account = %(account)s AND s.billed IS DISTINCT FROM s.reported AND s.billed IS NOT NULL
    AND s.learnt_at < s.closed_at + interval '1 day' AND now.units <> s.billed
ORDER BY s.closed_at, subject
