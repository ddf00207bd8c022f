-- Samples that name nothing of this ledger's, of reports as old as Stripe keeps its events.
SELECT count(*) AS samples, (array_agg(r.event_id ORDER BY r.applied_at DESC, r.event_id))[1] AS event_id,
    (array_agg(s.told ORDER BY r.applied_at DESC, r.event_id))[1] AS told
FROM error_sample AS s
JOIN error_report AS r USING (account, event_id)
WHERE s.meter_event_id IS NULL AND r.applied_at > ledger_now() - interval '30 days'
HAVING count(*) > 0
