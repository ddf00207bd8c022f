-- What became of these rows, of those that came through the door: as signups, of whatever import; as rows of usage,
-- which have no state here; or into quarantine, which keeps no source. Alike is what says the same as was recorded.
WITH told AS (
    SELECT *
    FROM unnest(%(sources)s::text[], %(row_ids)s::text[], %(hashes)s::bytea[]) AS r (source, row_id, content_hash)
)
SELECT t.source, t.row_id, s.import_name, s.state, k.content_hash = t.content_hash AS is_alike, false AS is_quarantined
FROM told AS t
JOIN row_key AS k ON (k.account, k.source, k.row_id) = (%(account)s, t.source, t.row_id)
LEFT JOIN signup AS s ON s.signup_id = k.entry_id
UNION ALL
SELECT t.source, t.row_id, NULL, NULL, true, true
FROM told AS t
JOIN (
    SELECT DISTINCT row_id FROM quarantine WHERE schema = 'subscription.1' AND row_id = ANY (%(row_ids)s)
) AS q USING (row_id)
WHERE NOT EXISTS (
    SELECT FROM row_key AS k WHERE (k.account, k.source, k.row_id) = (%(account)s, t.source, t.row_id)
)
