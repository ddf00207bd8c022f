-- What Stripe is asked for is fixed with the first call, and every later one asks for the same.
UPDATE signup SET creation = %(creation)s WHERE signup_id = %(signup_id)s AND creation IS NULL
