-- Meter events that these edges divide, and that were sealed before: some of their entries lie on the other side of the
-- edge than the time that Stripe is told. A meter event has its time and its entries within one hour, or close to it.
INSERT INTO straddle (meter_event_id, edge_at)
SELECT m.meter_event_id, n.edge_at
FROM unnest(%(customers)s::text[], %(meters)s::text[], %(edges)s::timestamptz[]) AS n (customer, meter, edge_at)
JOIN lane AS l ON (l.account, l.customer, l.meter) = (%(account)s, n.customer, n.meter)
JOIN meter_event AS m
    ON m.lane_id = l.lane_id
    AND m.stamped_at >= n.edge_at - interval '1 hour' AND m.stamped_at < n.edge_at + interval '1 hour'
WHERE EXISTS (
    SELECT FROM entry AS e
    WHERE e.meter_event_id = m.meter_event_id AND (e.occurred_at < n.edge_at) <> (m.stamped_at < n.edge_at)
)
ON CONFLICT DO NOTHING
