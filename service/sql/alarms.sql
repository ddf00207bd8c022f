-- Open ones first, the urgent before the others, then what is nearest to its deadline; cleared ones the newest first.
SELECT
    alarm_id, account, kind, subject, is_urgent, customer, meter, item, price, stretch_start, rows, units, amount,
    amount_rounded, currency, rated_by, invoice, since, until, deadline, said, raised_at, renewed_at, acknowledged_at,
    acknowledged_by, cleared_at
FROM alarm
WHERE account = %(account)s
    AND (%(with_cleared)s OR cleared_at IS NULL)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(alarm_ids)s::bigint[] IS NULL OR alarm_id = ANY (%(alarm_ids)s))
ORDER BY cleared_at IS NOT NULL, cleared_at DESC, NOT is_urgent, deadline NULLS LAST, raised_at, alarm_id
LIMIT %(alarms_max)s
