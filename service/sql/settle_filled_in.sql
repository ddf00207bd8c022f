-- What became of a backfill's entries as it was reverted.
UPDATE backfill_row AS b
SET state = s.state, reason = s.reason
FROM unnest(%(places)s::bigint[], %(states)s::text[], %(reasons)s::text[]) AS s (place, state, reason)
WHERE (b.backfill_id, b.place, b.state) = (%(backfill_id)s, s.place, 'recorded')
