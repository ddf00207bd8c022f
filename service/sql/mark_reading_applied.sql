-- In the transaction of the mirror and of the events' marks: all of them commit or none does.
UPDATE object_reading
SET applied_at = ledger_now()
WHERE object_reading_id = %(object_reading_id)s AND applied_at IS NULL
