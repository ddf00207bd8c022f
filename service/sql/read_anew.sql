-- What was called for before, and may count already, may have come in a second time just now: its hour is read soon, and all
-- its turns are counted from now on, because a late summary shows what has come in no sooner than it shows anything else.
-- Held, in conflict or refused as well: it may count under an identifier that was given up, and be confirmed before that
-- shows. What is still to be sent has its turns from its acceptance.
INSERT INTO confirmed_hour AS h (lane_id, meter_stripe_id, formula, hour, accepted_at, read_at, due_at)
SELECT
    lane_id, meter_stripe_id, formula, date_bin('1 hour', stamped_at, 'epoch'), ledger_now(), ledger_now(),
    ledger_now() + %(wait)s
FROM meter_event
WHERE meter_event_id = %(meter_event_id)s AND state NOT IN ('sealed', 'unknown') AND formula <> 'last'
ON CONFLICT (lane_id, meter_stripe_id, formula, hour) DO UPDATE
SET accepted_at = EXCLUDED.accepted_at, due_at = least(h.due_at, EXCLUDED.due_at)
