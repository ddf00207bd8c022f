-- What Stripe said, byte for byte where it was pushed.
SELECT body
FROM event
WHERE event_id = %(event_id)s
