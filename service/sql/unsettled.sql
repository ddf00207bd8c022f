-- Words that no newer one has overtaken and that do not decide: which of their second is the newest, or what they leave
-- out, only Stripe can tell. Of a deleted object nothing is to be read.
SELECT told.kind, told.object_id
FROM unnest(%(kinds)s::text[], %(object_ids)s::text[], %(as_ofs)s::timestamptz[]) AS told (kind, object_id, as_of)
LEFT JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (%(account)s, told.kind, told.object_id)
WHERE m.object_id IS NULL OR (NOT m.is_deleted AND m.as_of <= told.as_of)
