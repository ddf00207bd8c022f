-- Every error report that concerns a meter event, as one that names it or as one in whose window it was called for.
SELECT
    o.meter_event_id, o.generation, r.event_id, r.applied_at, r.error_count, r.codes, r.validation_start, r.validation_end,
    o.code, o.message, o.told
FROM (
    SELECT meter_event_id, generation, account, event_id, code, message, told
    FROM error_sample
    WHERE meter_event_id = ANY (%(meter_event_ids)s)
    UNION ALL
    SELECT meter_event_id, generation, account, event_id, NULL, NULL, NULL
    FROM suspect
    WHERE meter_event_id = ANY (%(meter_event_ids)s)
) AS o
JOIN error_report AS r USING (account, event_id)
ORDER BY r.applied_at, r.event_id
LIMIT %(reports_max)s
