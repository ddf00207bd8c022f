-- After a day Stripe has forgotten an identifier, and the same one again counts again.
SELECT 'attempt ' || a.attempt_id AS subject,
    format('it was opened at %%s, %%s after the first doubt', a.started_at, a.started_at - g.ambiguous_since) AS said
FROM attempt AS a
JOIN generation AS g USING (meter_event_id, generation)
WHERE a.started_at >= g.ambiguous_since + %(window)s
LIMIT %(breaches_max)s
