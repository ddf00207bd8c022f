-- A signup with what its row said; the rest of what was done about it is asked beside it.
SELECT
    s.signup_id, s.signup_lane_id, l.account, l.customer, s.source, s.row_id, s.import_name, s.price, s.said, s.identifier,
    s.state, s.key_number, s.ambiguous_since, s.asked_at, s.meter_stripe_id, s.is_allowed, s.creation, s.subscription,
    r.state AS replaced_state, ledger_now() AS now
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
LEFT JOIN signup AS r ON r.signup_id = s.replaces
WHERE s.signup_id = %(signup_id)s
