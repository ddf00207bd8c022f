-- Stripe refuses to tell these hours: when they were last read stays as it is, and their turn comes again, the more rarely
-- the longer it refuses.
UPDATE confirmed_hour
SET unread_since = coalesce(unread_since, ledger_now()),
    due_at = ledger_now() + greatest(%(wait)s::interval, (ledger_now() - coalesce(unread_since, ledger_now())) / %(share)s)
WHERE (lane_id, meter_stripe_id, formula) = (%(lane_id)s, %(meter_stripe_id)s, %(formula)s) AND hour = ANY(%(hours)s)
