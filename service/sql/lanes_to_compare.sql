-- Every lane, with each meter under which its meter events may stand at Stripe: the one of its name now, and those that
-- were sealed for in the time that Stripe takes meter events of. A `last` meter keeps one value, which told again is the
-- same.
SELECT l.lane_id, l.customer, l.meter, m.stripe_id AS meter_stripe_id
FROM lane AS l
JOIN meter AS m USING (account, meter)
WHERE l.account = %(account)s AND m.formula IN ('sum', 'count')
UNION
SELECT l.lane_id, l.customer, l.meter, e.meter_stripe_id
FROM lane AS l
JOIN meter_event AS e USING (lane_id)
WHERE l.account = %(account)s AND e.formula IN ('sum', 'count') AND e.stamped_at >= %(since)s
ORDER BY lane_id, meter_stripe_id
