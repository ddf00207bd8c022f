-- Usage of a draft's lines that Stripe does not have: all of it once the draft is finalized within the given time, and
-- at any time what is held or refused, because that mends itself seldom and late. One line a draft and meter. The
-- drafts' spans are cheap to read, and hardly any has something that waits: its lines alone are then read for their
-- meters.
WITH draft AS MATERIALIZED (
    SELECT
        i.account, i.invoice, i.customer, d.deadline, d.deadline < ledger_now() + %(urgent_within)s AS is_near,
        s.starts_at, s.ends_at
    FROM mirror AS m
    JOIN invoice AS i ON (i.account, i.invoice) = (m.account, m.object_id)
    LEFT JOIN draft_hold AS h ON (h.account, h.invoice) = (i.account, i.invoice) AND h.ended_at IS NULL
    CROSS JOIN LATERAL (SELECT coalesce(h.deadline, i.automatically_finalizes_at) AS deadline) AS d
    CROSS JOIN LATERAL (
        SELECT min((l.line ->> 'period_start')::timestamptz), max((l.line ->> 'period_end')::timestamptz)
        FROM jsonb_array_elements(m.facts -> 'lines') AS l (line)
    ) AS s (starts_at, ends_at)
    WHERE m.account = %(account)s AND m.kind = 'invoice' AND m.facts ->> 'status' = 'draft'
),
waiting AS MATERIALIZED (
    SELECT
        d.invoice, d.deadline, l.customer, l.meter, m.meter_stripe_id, m.formula, m.value, m.entries AS rows,
        m.stamped_at AS at, m.state IN ('held', 'refused') AS is_stuck
    FROM draft AS d
    JOIN lane AS l USING (account, customer)
    JOIN meter_event AS m ON m.lane_id = l.lane_id AND m.stamped_at >= d.starts_at AND m.stamped_at < d.ends_at
    WHERE m.state IN ('sealed', 'unknown', 'held', 'refused') AND (d.is_near OR m.state IN ('held', 'refused'))
        AND NOT is_closed('me-' || m.meter_event_id)
    UNION ALL
    SELECT d.invoice, d.deadline, l.customer, l.meter, k.stripe_id, k.formula, e.value, 1, e.occurred_at, false
    FROM draft AS d
    JOIN lane AS l USING (account, customer)
    JOIN meter AS k USING (account, meter)
    JOIN unsealed AS u
        ON u.lane_id = l.lane_id AND u.bucket < d.ends_at AND u.bucket > d.starts_at - interval '1 hour'
    JOIN entry AS e ON (e.lane_id, e.bucket) = (u.lane_id, u.bucket)
    WHERE d.is_near AND e.meter_event_id IS NULL
        AND NOT EXISTS (
            SELECT FROM unsealed AS o WHERE (o.lane_id, o.bucket) = (u.lane_id, u.bucket) AND o.ctid < u.ctid
        )
)
SELECT
    concat_ws('/', w.invoice, w.customer, w.meter) AS subject,
    coalesce(w.deadline > ledger_now(), true) AS is_urgent,
    w.customer,
    w.meter,
    min(b.item) AS item,
    min(b.price) AS price,
    min(b.period_start) AS stretch_start,
    sum(w.rows)::bigint AS rows,
    CASE max(w.formula)
        WHEN 'count' THEN sum(w.rows)
        WHEN 'last' THEN (array_agg(w.value ORDER BY w.at DESC))[1]
        ELSE sum(w.value)
    END AS units,
    w.invoice,
    min(w.at) AS since,
    max(w.at) AS until,
    w.deadline,
    format(
        '%%s of %%s rows %%s, %%s held or refused',
        coalesce(sum(w.rows) FILTER (WHERE NOT w.is_stuck), 0), sum(w.rows),
        CASE
            WHEN EXISTS (SELECT FROM pause AS p WHERE p.account = %(account)s AND p.meter IN ('*', w.meter))
                THEN 'wait for meterpost resume'
            ELSE 'are on their way'
        END,
        coalesce(sum(w.rows) FILTER (WHERE w.is_stuck), 0)
    ) AS said
FROM waiting AS w
CROSS JOIN LATERAL (
    SELECT b.subscription_item AS item, b.price, b.period_start
    FROM invoice_line AS b
    WHERE (b.account, b.invoice, b.meter_stripe_id) = (%(account)s, w.invoice, w.meter_stripe_id)
        AND b.period_start <= w.at AND b.period_end > w.at
    ORDER BY b.place
    LIMIT 1
) AS b
GROUP BY w.invoice, w.customer, w.meter, w.deadline
ORDER BY w.deadline, subject
