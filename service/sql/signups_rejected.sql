-- A page of what of an import (null: of any) a person may correct, with the last words of Stripe's refusal.
SELECT
    s.signup_id, s.source, s.row_id, s.import_name, l.customer, s.said, s.state, s.reason, i.recorded_at,
    a.step, a.status, a.code, a.detail, a.request_id
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
JOIN intake AS i USING (intake_id)
LEFT JOIN LATERAL (
    SELECT step, status, code, detail, request_id
    FROM signup_attempt
    WHERE signup_id = s.signup_id AND outcome = 'refused'
    ORDER BY signup_attempt_id DESC
    LIMIT 1
) AS a ON s.state = 'refused'
WHERE l.account = %(account)s AND s.signup_id > %(after)s AND s.state = ANY (%(states)s)
    AND (%(import_name)s::text IS NULL OR s.import_name = %(import_name)s)
    AND NOT is_closed('su-' || s.signup_id)
ORDER BY s.signup_id
LIMIT %(signups_max)s
