-- Usage at a time that no stretch covers, one line a lane: what was sealed (its flag is kept by what is known now), and
-- what waits to be. Of rows that wait, those count that were recorded some seconds ago, of customers whose
-- subscriptions were listed and of whom no next period is still to be told: that a subscription was made or renewed
-- just now is told a moment later. Buckets that one stretch covers whole are passed over without a look at their rows. A
-- meter that nobody has heard of is billed by nobody: its rows wait for somebody to make it, and are told here meanwhile.
-- What a stretch lacks because its meter event was stamped outside of it is straddling, and told as that alone.
-- What Stripe refused of all this is as little billed as before, until a person has decided about it.
-- What was sent is urgent for nobody, since Stripe keeps it; what waits is in the last two days in which Stripe would
-- take it.
WITH bucket AS MATERIALIZED (
    SELECT b.lane_id, b.bucket, l.account, l.customer, m.stripe_id, m.formula
    FROM (SELECT lane_id, bucket FROM unsealed GROUP BY lane_id, bucket) AS b
    JOIN lane AS l USING (lane_id)
    LEFT JOIN meter AS m USING (account, meter)
    WHERE NOT EXISTS (
        SELECT FROM stretch AS s
        WHERE (s.account, s.customer, s.meter_stripe_id) = (l.account, l.customer, m.stripe_id)
            AND s.starts_at <= b.bucket AND s.ends_at >= b.bucket + interval '1 hour'
    )
),
straddling AS MATERIALIZED (
    SELECT meter_event_id, sum(value) AS value, count(*) AS rows
    FROM straddling_entry
    WHERE account = %(account)s AND is_missing AND formula <> 'last'
    GROUP BY meter_event_id
),
usage AS (
    SELECT
        m.lane_id, m.formula, m.value - coalesce(o.value, 0) AS value, m.entries - coalesce(o.rows, 0) AS rows,
        m.stamped_at AS at, NULL::timestamptz AS waits_until,
        CASE WHEN m.state = 'refused' THEN m.meter_event_id END AS refused
    FROM meter_event AS m
    LEFT JOIN straddling AS o USING (meter_event_id)
    WHERE m.is_unbilled AND m.state <> 'cancelled' AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
        AND m.entries > coalesce(o.rows, 0) AND (m.state <> 'refused' OR NOT is_closed('me-' || m.meter_event_id))
    UNION ALL
    SELECT e.lane_id, b.formula, e.value, 1, e.occurred_at, e.occurred_at + interval '34 days', NULL
    FROM bucket AS b
    JOIN customer AS c USING (account, customer)
    JOIN entry AS e USING (lane_id, bucket)
    JOIN intake AS i USING (intake_id)
    WHERE e.meter_event_id IS NULL AND i.recorded_at <= ledger_now() - interval '15 seconds'
        AND NOT is_billed(b.account, b.customer, b.stripe_id, e.occurred_at)
        AND NOT EXISTS (
            SELECT FROM subscription AS s
            JOIN subscription_item AS p USING (account, subscription)
            WHERE (s.account, s.customer) = (b.account, b.customer)
                AND s.status NOT IN ('canceled', 'incomplete_expired') AND p.period_end <= ledger_now()
        )
)
SELECT
    concat_ws('/', l.customer, l.meter) AS subject,
    coalesce(min(u.waits_until) < ledger_now() + interval '2 days', false) AS is_urgent,
    l.customer,
    l.meter,
    NULL::text AS item,
    NULL::text AS price,
    NULL::timestamptz AS stretch_start,
    sum(u.rows)::bigint AS rows,
    CASE max(u.formula)
        WHEN 'count' THEN sum(u.rows)
        WHEN 'last' THEN (array_agg(u.value ORDER BY u.at DESC))[1]
        ELSE sum(u.value)
    END AS units,
    NULL::text AS invoice,
    min(u.at) AS since,
    max(u.at) AS until,
    min(u.waits_until) AS deadline,
    format(
        CASE
            WHEN k.meter IS NULL THEN 'no meter %%2$s is known at Stripe; create it with meterpost meter create %%2$s'
            ELSE 'no subscription of %%1$s bills %%2$s at this time'
        END,
        l.customer, l.meter
    ) || CASE count(u.refused)
        WHEN 0 THEN ''
        WHEN 1 THEN format('; Stripe refused 1 meter event of it, which is on the desk as me-%%s', min(u.refused))
        ELSE format(
            '; Stripe refused %%s meter events of it, which are on the desk from me-%%s on', count(u.refused),
            min(u.refused)
        )
    END AS said
FROM usage AS u
JOIN lane AS l USING (lane_id)
LEFT JOIN meter AS k USING (account, meter)
WHERE l.account = %(account)s
GROUP BY l.customer, l.meter, k.meter
HAVING max(u.formula) <> 'sum' OR sum(u.value) <> 0
ORDER BY since, subject
