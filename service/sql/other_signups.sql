-- Of the customer's other signups the first of each state that may stand in the way of this one: a customer may have
-- thousands, and the guard decides by the first that waits and the first that blocks. So what passes every other is left
-- out here by the guard's own rules (service/signup_guard.py): of another meter, meant, allowed, later and due, discarded,
-- or made and ended (`ended`: what the newest list says of this one's meter).
SELECT
    o.signup_id, o.signup_id < s.signup_id AS is_earlier, o.state, o.meter_stripe_id, o.price, o.import_name,
    o.subscription, o.due_at
FROM signup AS s
CROSS JOIN (VALUES ('due'), ('unknown'), ('held'), ('created')) AS kind (state)
CROSS JOIN LATERAL (
    SELECT *
    FROM signup AS other
    WHERE other.signup_lane_id = s.signup_lane_id AND other.state = kind.state AND other.signup_id <> s.signup_id
        AND (other.state <> 'due' OR other.signup_id < s.signup_id)
        AND (
            other.price = s.price AND other.import_name <> s.import_name
            OR s.said ->> 'allow_duplicate' IS DISTINCT FROM 'true'
                AND (other.meter_stripe_id IS NULL OR other.meter_stripe_id = s.meter_stripe_id)
        )
        AND CASE other.state
            WHEN 'created' THEN other.subscription <> ALL (%(ended)s::text[])
            ELSE NOT is_closed('su-' || other.signup_id)
        END
    ORDER BY other.signup_id
    LIMIT 1
) AS o
WHERE s.signup_id = %(signup_id)s AND NOT s.is_allowed
ORDER BY o.signup_id
