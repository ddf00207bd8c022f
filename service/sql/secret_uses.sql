-- Of the events of the last ten days: Stripe delivers an event for three, so that among them is every delivery of a week.
SELECT last_verified_by AS fingerprint, count(*) AS events, max(last_delivered_at) AS last_at
FROM event
WHERE account = %(account)s
    AND received_at > ledger_now() - interval '10 days'
    AND last_delivered_at > ledger_now() - interval '7 days'
    AND last_verified_by IS NOT NULL
GROUP BY last_verified_by
