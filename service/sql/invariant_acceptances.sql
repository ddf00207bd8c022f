-- Either way round: an acceptance that is not believed is sent again, and one that nobody gave is never sent.
SELECT 'me-' || m.meter_event_id AS subject,
    CASE
        WHEN m.state IN ('sealed', 'unknown') THEN format('Stripe accepted it, and it is %%s', m.state)
        ELSE format('it is %%s, and neither an answer nor a reading says so', m.state)
    END AS said
FROM meter_event AS m
CROSS JOIN LATERAL (
    SELECT count(*) AS calls, count(*) FILTER (WHERE outcome = 'accepted') AS accepted
    FROM attempt AS a
    WHERE a.meter_event_id = m.meter_event_id AND a.generation = m.generation
) AS made
WHERE (m.state IN ('sealed', 'unknown') AND made.accepted > 0)
    OR (m.state IN ('accepted', 'confirmed') AND made.calls > 0 AND made.accepted = 0 AND NOT EXISTS (
        SELECT FROM reading AS r
        WHERE r.meter_event_id = m.meter_event_id AND r.generation = m.generation AND r.verdict = 'present'
    ))
LIMIT %(breaches_max)s
