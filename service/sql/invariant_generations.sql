-- Another identifier counts anew: it takes a reading that proves the one before absent, one that was never in doubt, or
-- an error report in which Stripe itself names it as rejected.
SELECT 'me-' || g.meter_event_id AS subject,
    format('generation %%s was made, and %%s may count since %%s', g.generation, before.generation, before.ambiguous_since)
        AS said
FROM generation AS g
LEFT JOIN generation AS before
    ON before.meter_event_id = g.meter_event_id AND before.generation = g.generation - 1
WHERE g.generation > 1
    AND (before.generation IS NULL OR (
        before.ambiguous_since IS NOT NULL AND rejection(before.meter_event_id, before.generation) IS NULL
        AND NOT EXISTS (
            SELECT FROM reading AS r
            WHERE r.meter_event_id = before.meter_event_id AND r.generation = before.generation
                AND r.verdict = 'proven_absent'
        )
    ))
LIMIT %(breaches_max)s
