-- These hours were read: when to read them next. A wait of its own comes before the next turn.
UPDATE confirmed_hour
SET read_at = coalesce(%(read_at)s::timestamptz, ledger_now()),
    unread_since = NULL,
    due_at = least(
        next_second_reading(accepted_at, coalesce(%(read_at)s::timestamptz, ledger_now()), %(readings)s),
        ledger_now() + %(wait)s::interval
    )
WHERE (lane_id, meter_stripe_id, formula) = (%(lane_id)s, %(meter_stripe_id)s, %(formula)s) AND hour = ANY(%(hours)s)
