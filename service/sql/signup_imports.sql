-- The files that subscriptions came with, the newest first. What is made and not paid is counted apart from what is made.
SELECT
    s.import_name, min(i.recorded_at) AS recorded_at, count(*) AS signups,
    count(*) FILTER (
        WHERE s.state = 'created' AND coalesce(m.facts ->> 'status', '') NOT IN ('incomplete', 'incomplete_expired')
    ) AS created,
    count(*) FILTER (
        WHERE s.state = 'created' AND m.facts ->> 'status' IN ('incomplete', 'incomplete_expired')
    ) AS unpaid,
    count(*) FILTER (WHERE s.state IN ('due', 'unknown', 'held')) AS waiting,
    count(*) FILTER (
        WHERE s.state IN ('refused', 'blocked', 'conflict') AND NOT is_closed('su-' || s.signup_id)
    ) AS dead
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
JOIN intake AS i USING (intake_id)
LEFT JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (l.account, 'subscription', s.subscription)
WHERE s.import_name IS NOT NULL AND l.account = %(account)s
GROUP BY s.import_name
ORDER BY max(s.signup_id) DESC
LIMIT %(imports_max)s
