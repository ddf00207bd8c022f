-- What of some late usage cannot be carried or waived yet, because Stripe may still come to have it: by where it stands, and
-- whether a person's pause keeps it there. One meter event, or all of an invoice and lane. The customer, or the meter
-- event, is looked for first: a lane has few of these.
WITH wanted AS (
    SELECT lane_id, account, customer, meter
    FROM lane
    WHERE account = %(account)s AND CASE
        WHEN %(meter_event_id)s::bigint IS NULL THEN (customer, meter) = (%(customer)s::text, %(meter)s::text)
        ELSE lane_id = (SELECT lane_id FROM meter_event WHERE meter_event_id = %(meter_event_id)s)
    END
),
undecided AS (
    SELECT l.account, l.meter, m.state, m.entries AS rows, m.meter_event_id
    FROM wanted AS l
    JOIN meter_event AS m USING (lane_id)
    CROSS JOIN LATERAL closed_without(l.account, l.customer, m) AS c
    WHERE m.state IN ('sealed', 'unknown', 'held', 'conflict')
        AND m.meter_event_id = coalesce(%(meter_event_id)s, m.meter_event_id)
        AND c.invoice = coalesce(%(invoice)s::text, c.invoice)
    UNION ALL
    SELECT l.account, l.meter, 'unsealed', 1, NULL
    FROM wanted AS l
    JOIN meter AS k USING (account, meter)
    JOIN (SELECT lane_id, bucket FROM unsealed GROUP BY lane_id, bucket) AS u USING (lane_id)
    JOIN entry AS e USING (lane_id, bucket)
    CROSS JOIN LATERAL closing_of(l.account, l.customer, k.stripe_id, e.occurred_at) AS c
    WHERE e.meter_event_id IS NULL AND c.invoice = %(invoice)s::text
)
SELECT
    u.state, sum(u.rows)::bigint AS rows, min(u.meter_event_id) AS meter_event_id, min(u.meter) AS meter,
    EXISTS (SELECT FROM pause AS p WHERE p.account = min(u.account) AND p.meter = '*') AS is_account_paused,
    EXISTS (SELECT FROM pause AS p WHERE (p.account, p.meter) = (min(u.account), min(u.meter))) AS is_meter_paused
FROM undecided AS u
GROUP BY u.state
ORDER BY u.state
