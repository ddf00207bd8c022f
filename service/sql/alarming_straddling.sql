-- Meter events that a boundary divides which was learnt after they were sealed: the units of the entries that another
-- stretch bills than the one at the time that Stripe was told. They are on the wrong invoice; or on none, where no stretch
-- bills that time: then their money is what the one that lacks them would bill. Mostly a line a meter event.
SELECT
    concat_ws('/', 'me-' || d.meter_event_id, nullif(d.place, 1)) AS subject,
    false AS is_urgent,
    d.customer,
    d.meter,
    d.item,
    d.price,
    d.stretch_start,
    d.rows,
    d.units,
    d.invoice,
    d.since,
    d.until,
    NULL::timestamptz AS deadline,
    format(
        'a boundary at %%s UTC was learnt after it was sealed: meterpost correct me-%%s --by %%s takes its units of %%s out of'
        ' %%s, and a row of %%s at %%s UTC adds them where they belong',
        to_char(d.edge_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), d.meter_event_id, trim_scale(-d.units),
        CASE WHEN d.stamped_at < d.edge_at THEN 'after' ELSE 'before' END || ' it',
        CASE WHEN d.is_missing THEN 'a time that nothing bills' ELSE 'the wrong period' END, trim_scale(d.units),
        to_char(d.since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
    ) AS said
FROM (
    SELECT
        e.meter_event_id, e.customer, e.meter, e.item, e.price, e.stretch_start, e.invoice, e.is_missing, e.stamped_at,
        min(e.edge_at) AS edge_at, count(*) AS rows, min(e.occurred_at) AS since, max(e.occurred_at) AS until,
        CASE e.formula
            WHEN 'count' THEN count(*)
            WHEN 'last' THEN (array_agg(e.value ORDER BY e.occurred_at DESC, e.entry_id DESC))[1]
            ELSE sum(e.value)
        END AS units,
        row_number() OVER (PARTITION BY e.meter_event_id ORDER BY e.is_missing, e.stretch_start, e.item) AS place
    FROM straddling_entry AS e
    WHERE e.account = %(account)s
    GROUP BY
        e.meter_event_id, e.formula, e.customer, e.meter, e.item, e.price, e.stretch_start, e.invoice, e.is_missing,
        e.stamped_at
) AS d
ORDER BY d.since, subject
