-- What Stripe will not take any more: the usage of deleted customers that is not sent, and inactive meters, with what
-- waits for them. `rows` are not sealed yet, `meter_events` sealed and not accepted.
SELECT
    m.kind,
    m.object_id,
    m.facts ->> 'event_name' AS meter,
    coalesce(sum(u.rows), 0)::bigint AS rows,
    coalesce(sum(u.meter_events), 0)::bigint AS meter_events
FROM mirror AS m
LEFT JOIN lane AS l
    ON l.account = m.account
    AND ((m.kind = 'customer' AND l.customer = m.object_id) OR (m.kind = 'billing.meter' AND l.meter = m.facts ->> 'event_name'))
LEFT JOIN LATERAL (
    SELECT
        (SELECT count(*) FROM entry AS e WHERE e.lane_id = l.lane_id AND e.meter_event_id IS NULL) AS rows,
        (
            SELECT count(*)
            FROM meter_event AS v
            WHERE v.lane_id = l.lane_id AND v.state IN ('sealed', 'unknown')
        ) AS meter_events
) AS u ON true
WHERE m.account = %(account)s
    AND (m.kind, m.object_id) IN (SELECT * FROM unnest(%(kinds)s::text[], %(object_ids)s::text[]))
    AND (
        (m.kind = 'customer' AND m.is_deleted)
        OR (m.kind = 'billing.meter' AND NOT (m.facts ->> 'is_active')::boolean)
    )
GROUP BY m.kind, m.object_id, m.facts ->> 'event_name'
HAVING m.kind = 'billing.meter' OR sum(u.rows + u.meter_events) > 0
ORDER BY m.kind, m.object_id
