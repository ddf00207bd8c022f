-- What was told again, beside what was told first and counts.
SELECT
    c.account, c.source, c.row_id, c.customer, c.meter, c.value, c.occurred_at, c.said, i.recorded_at,
    k.entry_id, l.customer AS first_customer, l.meter AS first_meter, e.value AS first_value,
    e.occurred_at AS first_occurred_at, s.said AS first_said
FROM row_conflict AS c
JOIN intake AS i USING (intake_id)
JOIN row_key AS k USING (account, source, row_id)
LEFT JOIN entry AS e USING (entry_id)
LEFT JOIN lane AS l USING (lane_id)
LEFT JOIN signup AS s ON s.signup_id = k.entry_id
WHERE c.conflict_id = %(conflict_id)s
