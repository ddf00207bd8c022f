-- What became of staged rows, in the transaction that recorded them. A producer may have told one of them just before: then
-- it is a duplicate of his, or he said another thing.
UPDATE backfill_row AS b
SET entry_id = CASE WHEN s.standing = 'recorded' AND e.intake_id = %(intake_id)s::bigint THEN k.entry_id END,
    state = CASE
        WHEN s.standing <> 'recorded' OR e.intake_id = %(intake_id)s::bigint THEN s.standing
        WHEN k.content_hash = b.content_hash THEN 'duplicate'
        ELSE 'conflict'
    END,
    reason = s.reason
FROM unnest(%(places)s::bigint[], %(standings)s::text[], %(reasons)s::text[]) AS s (place, standing, reason)
JOIN backfill_row AS r ON (r.backfill_id, r.place) = (%(backfill_id)s, s.place) AND r.state = 'staged'
LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (%(account)s, r.source, r.row_id)
LEFT JOIN entry AS e ON e.entry_id = k.entry_id
WHERE (b.backfill_id, b.source, b.row_id) = (r.backfill_id, r.source, r.row_id)
RETURNING b.state
