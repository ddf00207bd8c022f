-- What lists of the customer's subscriptions said of one that is to be made.
SELECT signup_listing_id, read_at, key_number, verdict, subscriptions, ended
FROM signup_listing
WHERE signup_id = %(signup_id)s
ORDER BY signup_listing_id DESC
LIMIT %(listings_max)s
