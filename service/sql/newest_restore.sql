-- The newest epoch that began with a restore, confirmed or not: what is found later belongs to it.
SELECT epoch_id, began_at, cause, gap_from, witness_id, compared_at, confirmed_at
FROM epoch
WHERE gap_from IS NOT NULL
ORDER BY epoch_id DESC
LIMIT 1
