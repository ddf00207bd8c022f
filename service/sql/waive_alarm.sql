-- With its figures of now, under a lock, since who watches may renew them.
INSERT INTO alarm_waiver (alarm_id, rows, units, since_hour, until_hour, account, kind, subject)
SELECT
    alarm_id, rows, units, coalesce(date_bin('1 hour', since, 'epoch'), '-infinity'),
    coalesce(date_bin('1 hour', until, 'epoch'), '-infinity'), account, kind, subject
FROM (SELECT * FROM alarm WHERE alarm_id = %(alarm_id)s AND account = %(account)s AND cleared_at IS NULL FOR UPDATE) AS a
ON CONFLICT (alarm_id, rows, units, since_hour, until_hour) DO NOTHING
RETURNING alarm_id
