-- Usage of a draft's lines that Stripe does not have: all of it once the draft is finalized within the given time, and
-- at any time what is held or refused, because that mends itself seldom and late. One line a draft and meter. What
-- waits is looked for, and then its draft: of millions of meter events hardly any is not accepted.
WITH open_line AS MATERIALIZED (
    SELECT
        i.account, i.invoice, i.customer, b.meter_stripe_id, b.subscription_item AS item, b.price,
        b.period_start, b.period_end, coalesce(h.deadline, i.automatically_finalizes_at) AS deadline
    FROM invoice AS i
    JOIN invoice_line AS b USING (account, invoice)
    LEFT JOIN draft_hold AS h ON (h.account, h.invoice) = (i.account, i.invoice) AND h.ended_at IS NULL
    WHERE i.account = %(account)s AND i.status = 'draft'
        AND b.meter_stripe_id IS NOT NULL AND b.period_start < b.period_end
),
waiting AS (
    SELECT
        l.account, l.customer, l.meter, m.meter_stripe_id, m.formula, m.value, m.entries AS rows, m.stamped_at AS at,
        m.state IN ('held', 'refused') AS is_stuck
    FROM meter_event AS m
    JOIN lane AS l USING (lane_id)
    WHERE m.state IN ('sealed', 'unknown', 'held', 'refused') AND NOT is_closed('me-' || m.meter_event_id)
        AND EXISTS (SELECT FROM open_line AS o WHERE o.customer = l.customer)
    UNION ALL
    SELECT l.account, l.customer, l.meter, k.stripe_id, k.formula, e.value, 1, e.occurred_at, false
    FROM (SELECT lane_id, bucket FROM unsealed GROUP BY lane_id, bucket) AS b
    JOIN lane AS l USING (lane_id)
    JOIN meter AS k USING (account, meter)
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL AND EXISTS (SELECT FROM open_line AS o WHERE o.customer = l.customer)
)
SELECT
    concat_ws('/', o.invoice, w.customer, w.meter) AS subject,
    coalesce(o.deadline > ledger_now(), true) AS is_urgent,
    w.customer,
    w.meter,
    min(o.item) AS item,
    min(o.price) AS price,
    min(o.period_start) AS stretch_start,
    sum(w.rows)::bigint AS rows,
    CASE max(w.formula)
        WHEN 'count' THEN sum(w.rows)
        WHEN 'last' THEN (array_agg(w.value ORDER BY w.at DESC))[1]
        ELSE sum(w.value)
    END AS units,
    o.invoice,
    min(w.at) AS since,
    max(w.at) AS until,
    o.deadline,
    format(
        '%%s of %%s rows are on their way, %%s held or refused', sum(w.rows) FILTER (WHERE NOT w.is_stuck), sum(w.rows),
        coalesce(sum(w.rows) FILTER (WHERE w.is_stuck), 0)
    ) AS said
FROM (
    SELECT DISTINCT ON (account, invoice, customer, meter_stripe_id, period_start, period_end) *
    FROM open_line
    ORDER BY account, invoice, customer, meter_stripe_id, period_start, period_end, item
) AS o
JOIN waiting AS w ON (w.account, w.customer, w.meter_stripe_id) = (o.account, o.customer, o.meter_stripe_id)
    AND w.at >= o.period_start AND w.at < o.period_end
WHERE w.is_stuck OR o.deadline < ledger_now() + %(urgent_within)s
GROUP BY o.invoice, w.customer, w.meter, o.deadline
ORDER BY o.deadline, subject
