-- The number comes first, because entries carry it; the row comes last, because it carries the counts.
SELECT nextval(pg_get_serial_sequence('intake', 'intake_id')) AS intake_id
