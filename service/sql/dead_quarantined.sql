-- Locked, so that of two who correct it at once the second finds it closed.
SELECT raw, field, reason, sent_at, schema
FROM quarantine
WHERE quarantine_id = %(quarantine_id)s
FOR UPDATE
