-- A closed backfill has nothing left to record, and a reverted one nothing left to take back; what is recorded of either is
-- an entry that says what was staged.
SELECT format('backfill %%s', f.name) AS subject,
    CASE
        WHEN b.state = 'staged' THEN format('it is %%s, and row %%s is still staged', f.state, b.row_id)
        WHEN f.state = 'reverted' AND b.state = 'recorded' THEN format('it is reverted, and row %%s still counts', b.row_id)
        ELSE format('row %%s was recorded as %%s, and its entry is gone or says another thing', b.row_id, trim_scale(b.value))
    END AS said
FROM backfill AS f
JOIN backfill_row AS b USING (backfill_id)
LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (f.account, b.source, b.row_id)
LEFT JOIN entry AS e ON e.entry_id = b.entry_id
WHERE (b.state = 'staged' AND f.state NOT IN ('open', 'closing'))
    OR (f.state = 'reverted' AND b.state = 'recorded')
    OR (b.entry_id IS NOT NULL AND (
        k.entry_id IS DISTINCT FROM b.entry_id OR k.content_hash <> b.content_hash
        OR (e.value, e.occurred_at) IS DISTINCT FROM (b.value, b.occurred_at)
    ))
LIMIT %(breaches_max)s
