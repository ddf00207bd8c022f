-- Byte for byte, in the transaction that acks the message. The same bytes again are one dead letter, not two; but sent at
-- another time they are another row, for one that tells no time of its own takes its message's.
INSERT INTO quarantine (intake_id, raw, row_id, field, reason, sent_at, schema)
SELECT %(intake_id)s, raw, row_id, field, reason, sent_at, schema
FROM unnest(
    %(raws)s::bytea[], %(row_ids)s::text[], %(fields)s::text[], %(reasons)s::text[], %(sent_ats)s::timestamptz[],
    %(schemas)s::text[]
) AS bad (raw, row_id, field, reason, sent_at, schema)
ORDER BY raw, sent_at
ON CONFLICT (sha256(raw), coalesce(sent_at, '-infinity')) DO NOTHING
