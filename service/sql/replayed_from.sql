-- What a quarantined row became, and as what it was read.
SELECT account, source, row_id, said, action_id
FROM replayed_row
WHERE quarantine_id = %(quarantine_id)s
ORDER BY account, source, row_id
LIMIT %(rows_max)s
