-- Backfills, or the one of a name, with how many rows of each stand where.
SELECT
    f.backfill_id, f.account, f.name, f.state, f.opened_at, f.opened_by, f.closed_at, f.reverted_at,
    coalesce(r.rows, 0) AS rows, coalesce(r.staged, 0) AS staged, coalesce(r.recorded, 0) AS recorded,
    coalesce(r.duplicates, 0) AS duplicates, coalesce(r.conflicts, 0) AS conflicts, coalesce(r.left_out, 0) AS left_out,
    coalesce(r.reverted, 0) AS reverted, coalesce(r.kept, 0) AS kept
FROM backfill AS f
LEFT JOIN LATERAL (
    SELECT
        count(*) AS rows,
        count(*) FILTER (WHERE b.state = 'staged') AS staged,
        count(*) FILTER (WHERE b.state IN ('recorded', 'reverted', 'kept')) AS recorded,
        count(*) FILTER (WHERE b.state = 'duplicate') AS duplicates,
        count(*) FILTER (WHERE b.state = 'conflict') AS conflicts,
        count(*) FILTER (WHERE b.state = 'left_out') AS left_out,
        count(*) FILTER (WHERE b.state = 'reverted') AS reverted,
        count(*) FILTER (WHERE b.state = 'kept') AS kept
    FROM backfill_row AS b
    WHERE b.backfill_id = f.backfill_id
) AS r ON true
WHERE f.account = %(account)s AND (%(name)s::text IS NULL OR f.name = %(name)s)
ORDER BY f.backfill_id
