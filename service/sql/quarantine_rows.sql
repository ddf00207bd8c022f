-- Byte for byte, in the transaction that acks the message. The same bytes again are one dead letter, not two.
INSERT INTO quarantine (intake_id, raw, row_id, field, reason)
SELECT %(intake_id)s, raw, row_id, field, reason
FROM unnest(%(raws)s::bytea[], %(row_ids)s::text[], %(fields)s::text[], %(reasons)s::text[])
    AS bad (raw, row_id, field, reason)
ORDER BY raw
ON CONFLICT (sha256(raw)) DO NOTHING
