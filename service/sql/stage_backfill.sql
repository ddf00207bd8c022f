-- Rows of a file into an open backfill. What the same file told before is there already; what has its id and says another
-- thing stays out. What producers told is compared as well, and said.
WITH told AS (
    SELECT *
    FROM unnest(
        %(sources)s::text[], %(row_ids)s::text[], %(hashes)s::bytea[], %(customers)s::text[], %(meters)s::text[],
        %(values)s::numeric[], %(times)s::timestamptz[], %(units)s::text[]
    ) WITH ORDINALITY AS r (source, row_id, content_hash, customer, meter, value, occurred_at, unit, position)
),
fresh AS (
    INSERT INTO backfill_row (backfill_id, source, row_id, content_hash, customer, meter, value, occurred_at, unit)
    SELECT %(backfill_id)s, source, row_id, content_hash, customer, meter, value, occurred_at, unit
    FROM told
    ORDER BY position
    ON CONFLICT (backfill_id, source, row_id) DO NOTHING
    RETURNING source, row_id
)
SELECT
    (SELECT count(*) FROM fresh) AS staged,
    count(*) FILTER (WHERE b.content_hash <> t.content_hash) AS contradicting,
    count(*) FILTER (WHERE k.content_hash = t.content_hash) AS duplicates,
    count(*) FILTER (WHERE k.content_hash <> t.content_hash) AS conflicts
FROM told AS t
LEFT JOIN backfill_row AS b ON (b.backfill_id, b.source, b.row_id) = (%(backfill_id)s, t.source, t.row_id)
LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (%(account)s, t.source, t.row_id)
