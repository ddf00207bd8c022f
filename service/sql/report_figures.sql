-- What one report came to.
SELECT r.error_count, count(s.number) AS samples, count(s.number) FILTER (WHERE s.meter_event_id IS NULL) AS orphans,
    (SELECT count(*) FROM suspect AS u WHERE (u.account, u.event_id) = (r.account, r.event_id)) AS suspects
FROM error_report AS r
LEFT JOIN error_sample AS s USING (account, event_id)
WHERE (r.account, r.event_id) = (%(account)s, %(event_id)s)
GROUP BY r.account, r.event_id
