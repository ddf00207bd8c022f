-- Whether a receiver was told that this was raised, or will be.
SELECT alarm_id, what FROM alarm_post WHERE alarm_id = %(alarm_id)s AND what = 'raised'
