-- What Stripe told of a thin event, before anything follows from it.
INSERT INTO fetched_event (account, event_id, body)
VALUES (%(account)s, %(event_id)s, %(body)s)
