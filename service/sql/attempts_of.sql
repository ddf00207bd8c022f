-- What was tried under the current identifier, oldest first, as far as deciding asks for it: every stored error, because
-- each changes the key, and of the others the newest, because a wait doubles only so often. A key that is refused for
-- days makes attempts without end.
SELECT started_at, outcome, status, is_replayed
FROM (
    SELECT
        a.attempt_id, a.started_at, a.outcome, a.status, a.is_replayed,
        row_number() OVER (ORDER BY a.attempt_id DESC) AS back
    FROM attempt AS a
    JOIN meter_event AS m USING (meter_event_id, generation)
    WHERE a.meter_event_id = %(meter_event_id)s
) AS numbered
WHERE back <= %(newest)s OR (is_replayed AND status >= 500)
ORDER BY attempt_id
