-- An event that is applied again by hand keeps its first effect: the mirrors it writes are the same however often.
INSERT INTO effect (account, event_id, kind)
SELECT %(account)s, event_id, %(kind)s
FROM unnest(%(event_ids)s::text[]) AS told (event_id)
ON CONFLICT DO NOTHING
