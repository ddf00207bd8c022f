-- The window closes a day after the first attempt that may have counted; a doubt that is not written down, or written
-- down too late, leaves it open too long.
SELECT 'me-' || g.meter_event_id AS subject,
    format(
        'generation %%s may have counted since %%s, and says %%s',
        g.generation, min(a.started_at), coalesce(g.ambiguous_since::text, 'nothing')
    ) AS said
FROM generation AS g
JOIN attempt AS a USING (meter_event_id, generation)
WHERE a.outcome = 'unknown'
GROUP BY g.meter_event_id, g.generation, g.ambiguous_since
HAVING g.ambiguous_since IS NULL OR g.ambiguous_since > min(a.started_at)
LIMIT %(breaches_max)s
