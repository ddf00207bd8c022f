-- Lanes with confirmed hours that Stripe can still be asked about, what was confirmed last first: a lie there is news.
-- What was confirmed without a call counts nowhere, and a `last` meter's summary is no sum. What was cancelled counts
-- nothing, and that is asked as well.
SELECT
    l.lane_id, l.customer, l.meter, m.meter_stripe_id, m.formula,
    array_agg(DISTINCT date_bin('1 hour', m.stamped_at, 'epoch')) AS hours
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE l.account = %(account)s AND m.state IN ('confirmed', 'cancelled') AND m.accepted_at IS NOT NULL AND m.formula <> 'last'
    AND m.stamped_at >= ledger_now() - %(reach)s
GROUP BY l.lane_id, l.customer, l.meter, m.meter_stripe_id, m.formula
ORDER BY max(m.confirmed_at) DESC, l.lane_id
LIMIT %(lanes_max)s
