-- What of a draft's stretches Stripe's books do not show to be counted: rows that are not sealed, and meter events that
-- are not confirmed, but for those of which a person has decided.
WITH span AS (
    SELECT DISTINCT i.account, i.customer, b.meter_stripe_id, b.period_start, b.period_end
    FROM invoice AS i
    JOIN invoice_line AS b USING (account, invoice)
    WHERE i.account = %(account)s AND i.invoice = %(invoice)s AND b.meter_stripe_id IS NOT NULL
),
missing AS (
    SELECT m.entries AS rows, m.value
    FROM span AS s
    JOIN lane AS l USING (account, customer)
    JOIN meter_event AS m USING (lane_id, meter_stripe_id)
    WHERE m.stamped_at >= s.period_start AND m.stamped_at < s.period_end
        AND m.state IN ('sealed', 'unknown', 'accepted', 'held', 'refused', 'conflict')
        AND NOT is_closed('me-' || m.meter_event_id)
    UNION ALL
    SELECT 1, e.value
    FROM span AS s
    JOIN meter AS k ON (k.account, k.stripe_id) = (s.account, s.meter_stripe_id)
    JOIN lane AS l ON (l.account, l.customer, l.meter) = (s.account, s.customer, k.meter)
    JOIN entry AS e USING (lane_id)
    WHERE e.meter_event_id IS NULL AND e.occurred_at >= s.period_start AND e.occurred_at < s.period_end
)
SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(value), 0) AS units
FROM missing
