-- Words of the very second of the mirror: which is newer only Stripe can tell. Of a deleted one nothing is to be read.
SELECT i.invoice AS object_id
FROM unnest(%(object_ids)s::text[], %(as_ofs)s::timestamptz[]) AS told (invoice, as_of)
JOIN invoice AS i USING (invoice, as_of)
WHERE i.account = %(account)s AND i.status IS NOT NULL
