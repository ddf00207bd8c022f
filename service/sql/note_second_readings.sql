-- What Stripe's summaries said of these spans of a lane, and what followed.
INSERT INTO second_reading (lane_id, meter_stripe_id, formula, start, length, read_at, counted, expected, verdict)
SELECT %(lane_id)s, %(meter_stripe_id)s, %(formula)s, start, length, %(read_at)s, counted, expected, verdict
FROM unnest(
    %(starts)s::timestamptz[], %(lengths)s::interval[], %(counted)s::numeric[], %(expected)s::numeric[],
    %(verdicts)s::text[]
) AS told (start, length, counted, expected, verdict)
ORDER BY start
