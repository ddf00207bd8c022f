-- What was pushed before, or while the list was read, stays as it came: its deliveries are counted by the door alone. In
-- the order of the ids, so that two who record the same page wait for each other and not both for ever. The mode must be
-- the ledger's own, as at the door.
INSERT INTO event (account, event_id, type, api_version, is_live, created_at, object_id, body, deliveries, found_by)
SELECT a.account, f.event_id, f.type, f.api_version, f.is_live, f.created_at, f.object_id, f.body, 0, %(found_by)s
FROM unnest(
    %(event_ids)s::text[], %(types)s::text[], %(api_versions)s::text[], %(modes)s::boolean[],
    %(created_ats)s::timestamptz[], %(object_ids)s::text[], %(bodies)s::bytea[]
) AS f (event_id, type, api_version, is_live, created_at, object_id, body)
JOIN account AS a ON a.account = %(account)s AND a.is_live = f.is_live
ORDER BY f.event_id
ON CONFLICT (account, event_id) DO NOTHING
RETURNING event_id
