-- Keys without an entry or a signup are rows that were acknowledged and are gone; entries and signups without a key, or of
-- another row than their key, could be told again and counted twice. One key is of one kind of row.
WITH kept AS (
    SELECT entry_id, source, row_id FROM entry
    UNION ALL
    SELECT signup_id, source, row_id FROM signup
)
SELECT 'entry ' || coalesce(k.entry_id, e.entry_id) AS subject,
    CASE
        WHEN e.entry_id IS NULL THEN format('row %%s of %%s was recorded, and its entry is gone', k.row_id, k.source)
        WHEN k.entry_id IS NULL THEN format('row %%s of %%s has no key', e.row_id, e.source)
        ELSE format('row %%s of %%s stands under the key of row %%s of %%s', e.row_id, e.source, k.row_id, k.source)
    END AS said
FROM row_key AS k
FULL JOIN kept AS e USING (entry_id)
WHERE k.entry_id IS NULL OR e.entry_id IS NULL OR (k.source, k.row_id) <> (e.source, e.row_id)
UNION ALL
SELECT 'entry ' || e.entry_id, format('row %%s of %%s is usage and a subscription at once', e.row_id, e.source)
FROM signup AS s
JOIN entry AS e ON e.entry_id = s.signup_id
LIMIT %(breaches_max)s
