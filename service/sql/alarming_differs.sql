-- Final lines that are not what the ledger has for their stretch, one line a stretch. What it had when the invoice was
-- mirrored is written down with the stretch; where that differs, what was called for before the invoice was final is
-- summed up as it is known now, in doubt or not: the invoice itself tells how much of it counted in time, and what it lacks
-- is billed nowhere, whatever becomes of the doubt. What is late for certain is told as that, and no difference. Not of a
-- stretch that was learnt long after it was closed, nor of a trial, which bills nothing. The rows are those that may be
-- what the invoice lacks, not heard of before it was final; of what it has in excess none is ours.
SELECT
    concat_ws('/', s.invoice, s.item, s.price, extract(epoch FROM s.starts_at)::bigint) AS subject,
    false AS is_urgent,
    s.customer,
    now.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    CASE WHEN now.units > s.billed THEN now.rows ELSE 0 END AS rows,
    now.units - s.billed AS units,
    s.invoice,
    s.starts_at AS since,
    s.ends_at AS until,
    NULL::timestamptz AS deadline,
    format(
        CASE
            WHEN now.units < s.billed
                THEN 'the invoice has %%s, which is more than the %%s of ours at Stripe: who else reports?'
            WHEN now.doubtful > 0
                THEN 'the invoice has %%s, which is less than the %%s of ours: the rest is billed nowhere, and %%s meter events'
                    ' may or may not be at Stripe'
            ELSE 'the invoice has %%s, which is less than the %%s of ours at Stripe: the rest is billed nowhere'
        END,
        trim_scale(s.billed), trim_scale(now.units), now.doubtful
    ) AS said
FROM stretch AS s
CROSS JOIN LATERAL (
    SELECT
        min(l.meter) AS meter,
        coalesce(sum(m.entries) FILTER (WHERE d.is_doubtful OR m.accepted_at > s.closed_at), 0)::bigint AS rows,
        count(*) FILTER (WHERE d.is_doubtful) AS doubtful,
        greatest(0, coalesce(
            CASE max(m.formula)
                WHEN 'count' THEN count(*)
                WHEN 'last' THEN (array_agg(m.value ORDER BY m.stamped_at DESC, m.meter_event_id DESC))[1]
                ELSE sum(m.value)
            END, 0
        )) AS units
    FROM lane AS l
    JOIN meter_event AS m USING (lane_id)
    CROSS JOIN LATERAL (
        SELECT m.state IN ('sealed', 'unknown', 'held') OR m.accepted_at IS NULL AS is_doubtful
    ) AS d
    WHERE (l.account, l.customer, m.meter_stripe_id) = (s.account, s.customer, s.meter_stripe_id)
        AND m.stamped_at >= s.starts_at AND m.stamped_at < s.ends_at
        AND m.state NOT IN ('refused', 'cancelled') AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
        AND (NOT d.is_doubtful OR m.state IN ('sealed', 'unknown') OR NOT is_closed('me-' || m.meter_event_id))
        AND NOT EXISTS (SELECT FROM late_usage AS u WHERE u.meter_event_id = m.meter_event_id)
        AND NOT EXISTS (SELECT FROM closed_without(l.account, l.customer, m))
) AS now
WHERE s.account = %(account)s AND s.billed IS DISTINCT FROM s.reported AND is_compared(s) AND NOT s.is_trial
    AND now.units <> s.billed
ORDER BY s.closed_at, subject
