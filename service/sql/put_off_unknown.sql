-- After a reading of Stripe's list of meters: the bells that rang before it are silenced where the meter is known now, and
-- put off where it is not, so that one which does not exist is not asked for at every look. Those that were rung since ring
-- on. Sorted, so that two who seal wait in line.
WITH rang AS (
    SELECT u.account, u.meter, EXISTS (SELECT FROM meter AS m WHERE (m.account, m.meter) = (u.account, u.meter)) AS is_known
    FROM unknown_meter AS u
    WHERE u.account = %(account)s AND u.due_at <= %(asked_at)s
    ORDER BY u.meter
    FOR UPDATE OF u
),
silenced AS (
    DELETE FROM unknown_meter AS u
    USING rang AS r
    WHERE (u.account, u.meter) = (r.account, r.meter) AND r.is_known
)
UPDATE unknown_meter AS u
SET due_at = ledger_now() + %(wait)s
FROM rang AS r
WHERE (u.account, u.meter) = (r.account, r.meter) AND NOT r.is_known
