-- A report that counts more errors than it names is about others of its window as well: everything that was called for in
-- it on its meter and that it does not name. A little more than the window, because clocks differ and validation follows
-- receipt; and calls end within the hour in which they were written down. Without a meter it is about the event names of
-- which we do not know that Stripe has an active one.
INSERT INTO suspect (meter_event_id, generation, account, event_id)
SELECT DISTINCT a.meter_event_id, a.generation, r.account, r.event_id
FROM error_report AS r
JOIN event AS e USING (account, event_id)
JOIN attempt AS a
    ON a.started_at >= r.validation_start - %(slack)s - interval '1 hour' AND a.started_at <= r.validation_end + %(slack)s
    AND coalesce(a.ended_at, 'infinity') >= r.validation_start - %(slack)s
    AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'unknown'))
JOIN meter_event AS m ON (m.meter_event_id, m.generation) = (a.meter_event_id, a.generation)
JOIN lane AS l ON l.lane_id = m.lane_id AND l.account = r.account
LEFT JOIN meter AS k ON (k.account, k.meter) = (l.account, l.meter)
WHERE (r.account, r.event_id) = (%(account)s, %(event_id)s)
    AND r.error_count > (
        SELECT count(*) FROM error_sample AS s WHERE (s.account, s.event_id) = (r.account, r.event_id) AND s.told IS NOT NULL
    )
    AND CASE
        WHEN r.meter_stripe_id IS NOT NULL THEN m.meter_stripe_id = r.meter_stripe_id
        WHEN e.type = %(no_meter_found)s THEN k.is_active IS NOT TRUE
        ELSE true
    END
    AND m.state IN ('sealed', 'unknown', 'accepted', 'confirmed', 'held')
    AND rejection(a.meter_event_id, a.generation) IS NULL
ON CONFLICT DO NOTHING
