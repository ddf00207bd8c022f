-- What lists of the customer's subscriptions said of a signup, oldest first.
SELECT read_at, key_number, verdict, subscriptions, ended
FROM signup_listing
WHERE signup_id = %(signup_id)s
ORDER BY signup_listing_id
