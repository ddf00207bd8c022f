-- The key starts equal to the identifier, and changes only by a number behind it; another one would be another report.
SELECT 'attempt ' || a.attempt_id AS subject,
    format('it was made under the key %%s, its generation is %%s', a.idempotency_key, g.identifier) AS said
FROM attempt AS a
JOIN generation AS g USING (meter_event_id, generation)
WHERE a.idempotency_key <> g.identifier
    AND a.idempotency_key !~ ('^' || regexp_replace(g.identifier, '([.*+?()\[\]])', '\\\1', 'g') || '\.\d+$')
LIMIT %(breaches_max)s
