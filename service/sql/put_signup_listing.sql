-- Each list is a fact, also the one that shows nothing: two of those are the proof of an absence.
INSERT INTO signup_listing (signup_id, key_number, verdict, subscriptions, ended, read_at)
SELECT %(signup_id)s, key_number, %(verdict)s, %(subscriptions)s, %(ended)s, %(read_at)s
FROM signup
WHERE signup_id = %(signup_id)s
