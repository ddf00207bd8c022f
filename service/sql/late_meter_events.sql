-- Late usage of which nobody has decided, one meter event or those of an invoice and lane, the oldest first.
SELECT
    meter_event_id, lane_id, account, customer, meter, formula, state, entries, units, value, stamped_at, invoice, closed_at,
    is_billed_at(account, customer, meter_stripe_id, ledger_now()) AS is_billed_now, ledger_now() AS now
FROM late_meter_event
WHERE account = %(account)s
    AND CASE
        WHEN %(meter_event_id)s::bigint IS NOT NULL THEN meter_event_id = %(meter_event_id)s
        ELSE (invoice, customer, meter) = (%(invoice)s::text, %(customer)s::text, %(meter)s::text)
    END
ORDER BY stamped_at, meter_event_id
LIMIT %(meter_events_max)s
