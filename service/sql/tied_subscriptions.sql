-- Words of the very second of the mirror: which is newer only Stripe can tell.
SELECT s.subscription AS object_id
FROM unnest(%(object_ids)s::text[], %(as_ofs)s::timestamptz[]) AS told (subscription, as_of)
JOIN subscription AS s USING (subscription, as_of)
WHERE s.account = %(account)s
