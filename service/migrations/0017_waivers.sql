-- A waiver holds for the time of its usage too: as many rows and units of another time are other money. Sealing moves a
-- time within its hour and no further, so the hours of the first and the last are what is compared; where an alarm tells
-- no time, they are '-infinity'.
ALTER TABLE alarm_waiver
    ADD COLUMN since_hour timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN until_hour timestamptz NOT NULL DEFAULT '-infinity';

-- What was waived before: its alarm was cleared with the times that it had then.
ALTER TABLE alarm_waiver DISABLE TRIGGER alarm_waiver_is_a_fact;
UPDATE alarm_waiver AS w
SET since_hour = coalesce(date_bin('1 hour', a.since, 'epoch'), '-infinity'),
    until_hour = coalesce(date_bin('1 hour', a.until, 'epoch'), '-infinity')
FROM alarm AS a
WHERE a.alarm_id = w.alarm_id;
ALTER TABLE alarm_waiver ENABLE TRIGGER alarm_waiver_is_a_fact;

ALTER TABLE alarm_waiver
    ALTER COLUMN since_hour DROP DEFAULT,
    ALTER COLUMN until_hour DROP DEFAULT,
    DROP CONSTRAINT alarm_waiver_pkey,
    ADD PRIMARY KEY (alarm_id, rows, units, since_hour, until_hour);
