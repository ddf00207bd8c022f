-- What a person's decision changed against the entries that it made: each has its own, of the lane of what it corrects, and
-- says by how much; a cancellation has its surplus instead. And nobody else records rows of our source.
SELECT 'correction ' || c.correction_id AS subject,
    CASE
        WHEN a.action_id IS NULL THEN format('action %%s, which ordered it, is gone', c.action_id)
        WHEN a.verb <> w.verb THEN format('it was %%s by action %%s, which is a %%s', c.kind, a.action_id, a.verb)
        WHEN c.kind = 'cancelled' THEN 'it has no surplus, so that nothing is cancelled'
        WHEN k.entry_id IS NULL THEN format('the entry of its row %%s is gone', c.row_id)
        ELSE format('it adds %%s in lane %%s, its entry %%s in lane %%s', c.units, t.lane_id, e.value, e.lane_id)
    END AS said
FROM correction AS c
JOIN (
    VALUES
        ('carried', 'carry'), ('waived', 'waive'), ('corrected', 'correct'), ('cancelled', 'correct'), ('reverted', 'revert')
) AS w (kind, verb) USING (kind)
LEFT JOIN operator_action AS a USING (action_id)
LEFT JOIN entry AS e ON e.entry_id = c.entry_id
LEFT JOIN row_key AS k ON k.entry_id = c.entry_id AND (k.source, k.row_id) = (c.source, c.row_id)
LEFT JOIN meter_event AS m ON m.meter_event_id = c.meter_event_id
LEFT JOIN entry AS of ON of.entry_id = c.corrected_entry_id
CROSS JOIN LATERAL (SELECT coalesce(m.lane_id, of.lane_id) AS lane_id) AS t
WHERE a.action_id IS NULL OR a.verb <> w.verb
    OR (c.kind = 'cancelled' AND NOT EXISTS (SELECT FROM surplus AS s WHERE s.correction_id = c.correction_id))
    OR (c.kind NOT IN ('waived', 'cancelled') AND (
        k.entry_id IS NULL OR e.lane_id IS DISTINCT FROM t.lane_id OR (c.kind <> 'carried' AND e.value <> c.units)
    ))
UNION ALL
SELECT 'entry ' || e.entry_id, format('row %%s is of the source meterpost, and no decision made it', e.row_id)
FROM entry AS e
WHERE e.source = 'meterpost' AND NOT EXISTS (SELECT FROM correction AS c WHERE c.entry_id = e.entry_id)
LIMIT %(breaches_max)s
