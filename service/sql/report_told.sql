-- One error report as it was told, with how many of its samples name something of this ledger's and what the others name.
SELECT
    r.meter_stripe_id, r.validation_start, r.validation_end, r.error_count, r.codes, r.summary, r.applied_at,
    count(s.meter_event_id) AS named,
    coalesce(array_agg(format('%%s: %%s (%%s)', coalesce(s.told, 'nothing'), s.message, s.code) ORDER BY s.number)
        FILTER (WHERE s.number IS NOT NULL AND s.meter_event_id IS NULL), '{}') AS orphans,
    (SELECT count(*) FROM suspect AS u WHERE (u.account, u.event_id) = (r.account, r.event_id)) AS suspects
FROM error_report AS r
LEFT JOIN error_sample AS s USING (account, event_id)
WHERE r.event_id = %(event_id)s
GROUP BY r.account, r.event_id
