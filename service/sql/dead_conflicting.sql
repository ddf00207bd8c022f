-- What was told again, beside what was told first and counts. Locked, as everything the desk acts on.
SELECT c.account, c.source, c.row_id, c.customer, c.meter, c.value, c.occurred_at, k.entry_id
FROM row_conflict AS c
JOIN row_key AS k USING (account, source, row_id)
WHERE c.conflict_id = %(conflict_id)s
FOR UPDATE OF c
