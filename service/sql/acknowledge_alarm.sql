-- The first who saw it; of one that is cleared there is nothing to see any more.
UPDATE alarm
SET acknowledged_at = ledger_now(), acknowledged_by = %(actor)s
WHERE alarm_id = %(alarm_id)s AND account = %(account)s AND cleared_at IS NULL AND acknowledged_at IS NULL
RETURNING alarm_id
