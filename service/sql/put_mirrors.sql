-- Order-proof, for every kind: a newer word replaces, an older one changes nothing, and of one second only a reading of
-- Stripe does, the later of two. A deletion beats any other word, and nothing comes after it. Ordered by key, so that two
-- writers cannot wait for each other.
INSERT INTO mirror (account, kind, object_id, customer, as_of, read_at, is_deleted, facts, object)
SELECT %(account)s, kind, object_id, customer, as_of, read_at, is_deleted, facts, object
FROM unnest(
    %(kinds)s::text[], %(object_ids)s::text[], %(customers)s::text[], %(as_ofs)s::timestamptz[],
    %(read_ats)s::timestamptz[], %(are_deleted)s::boolean[], %(facts)s::jsonb[], %(objects)s::jsonb[]
) AS told (kind, object_id, customer, as_of, read_at, is_deleted, facts, object)
ORDER BY kind, object_id
ON CONFLICT (account, kind, object_id) DO UPDATE
SET customer = coalesce(EXCLUDED.customer, mirror.customer),
    as_of = EXCLUDED.as_of,
    read_at = EXCLUDED.read_at,
    is_deleted = EXCLUDED.is_deleted,
    facts = EXCLUDED.facts,
    object = EXCLUDED.object
WHERE NOT mirror.is_deleted
    AND (
        EXCLUDED.is_deleted
        OR EXCLUDED.as_of > mirror.as_of
        OR (EXCLUDED.as_of = mirror.as_of AND EXCLUDED.read_at > coalesce(mirror.read_at, '-infinity'))
    )
RETURNING kind, object_id
