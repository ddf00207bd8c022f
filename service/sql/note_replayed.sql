-- The lineage of rows that came out of quarantine, in the transaction that records them.
INSERT INTO replayed_row (quarantine_id, account, source, row_id, said, action_id)
SELECT %(quarantine_id)s, account, source, row_id, %(said)s, %(action_id)s
FROM unnest(%(accounts)s::text[], %(sources)s::text[], %(row_ids)s::text[]) AS replayed (account, source, row_id)
