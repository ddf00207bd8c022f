-- What Stripe says that it rejected is neither sent nor billed, unless its books have shown it since.
SELECT 'me-' || m.meter_event_id AS subject,
    format('an error report of %%s names it, and it is %%s', min(e.applied_at), m.state) AS said
FROM error_sample AS s
JOIN error_report AS e USING (account, event_id)
JOIN meter_event AS m USING (meter_event_id, generation)
WHERE m.state IN ('sealed', 'unknown', 'accepted', 'confirmed') AND NOT EXISTS (
    SELECT FROM reading AS r
    WHERE (r.meter_event_id, r.generation) = (m.meter_event_id, m.generation) AND r.verdict = 'present'
)
GROUP BY m.meter_event_id
LIMIT %(breaches_max)s
