-- The counts of an intake against the facts it wrote. Quarantined and conflicting rows are kept once however often they
-- are told, so that their facts may be fewer than their counts, and never more.
SELECT 'intake ' || i.intake_id AS subject,
    format(
        '%%s recorded of which %%s are there, %%s conflicts (%%s), %%s quarantined (%%s)',
        i.recorded, coalesce(e.rows, 0), i.conflicts, coalesce(c.rows, 0), i.quarantined, coalesce(q.rows, 0)
    ) AS said
FROM intake AS i
LEFT JOIN (
    SELECT intake_id, count(*) AS rows FROM entry GROUP BY intake_id
    UNION ALL
    SELECT intake_id, count(*) AS rows FROM signup GROUP BY intake_id  -- an intake is of one kind of rows
) AS e USING (intake_id)
LEFT JOIN (SELECT intake_id, count(*) AS rows FROM row_conflict GROUP BY intake_id) AS c USING (intake_id)
LEFT JOIN (SELECT intake_id, count(*) AS rows FROM quarantine GROUP BY intake_id) AS q USING (intake_id)
WHERE coalesce(e.rows, 0) <> i.recorded OR coalesce(c.rows, 0) > i.conflicts OR coalesce(q.rows, 0) > i.quarantined
ORDER BY i.intake_id
LIMIT %(breaches_max)s
