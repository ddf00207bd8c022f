-- Once an event: applied again, it says what it said.
INSERT INTO error_report
    (account, event_id, meter_stripe_id, validation_start, validation_end, error_count, codes, summary)
VALUES
    (%(account)s, %(event_id)s, %(meter_stripe_id)s, %(validation_start)s, %(validation_end)s, %(error_count)s,
     %(codes)s, %(summary)s)
ON CONFLICT DO NOTHING
