-- The meter that its price counts on: what the guard of the others goes by.
UPDATE signup SET meter_stripe_id = %(meter_stripe_id)s WHERE signup_id = %(signup_id)s
