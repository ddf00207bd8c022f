-- Locked, as everything the desk acts on: of two who act at once the second finds what the first did.
SELECT source, row_id
FROM row_conflict
WHERE conflict_id = %(conflict_id)s
FOR UPDATE
