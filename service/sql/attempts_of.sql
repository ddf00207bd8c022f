-- What was tried under the current identifier, oldest first.
SELECT a.started_at, a.outcome, a.status, a.is_replayed
FROM attempt AS a
JOIN meter_event AS m USING (meter_event_id, generation)
WHERE a.meter_event_id = %(meter_event_id)s
ORDER BY a.attempt_id
