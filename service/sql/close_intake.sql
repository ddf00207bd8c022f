-- The books of this transaction; the table refuses counts that do not add up.
INSERT INTO intake (intake_id, messages, rows, recorded, duplicates, conflicts, quarantined)
VALUES (
    %(intake_id)s, %(messages)s, %(rows)s, %(recorded)s,
    %(rows)s - %(recorded)s - %(conflicts)s - %(quarantined)s, %(conflicts)s, %(quarantined)s
)
