-- What is due and free and has not been looked at for so long: a step does not run, or does not find it. Nothing is sent
-- or sealed while a restore waits for a person, or sent while Stripe fails; both are said elsewhere. Stripe's books are
-- not asked about what a person discarded; and hours are read again only where nobody else writes, which is a setting.
WITH callable AS (
    SELECT l.*
    FROM lane AS l
    WHERE NOT EXISTS (
            SELECT FROM account AS a WHERE a.account = l.account AND (a.openings > 0 OR a.paused_until > ledger_now())
        )
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter IN ('*', l.meter))
)
SELECT subject, format('%%s since %%s', what, since) AS said
FROM (
    SELECT 'lane ' || lane_id AS subject, 'to be sent' AS what, greatest(due_at, lease_until) AS since
    FROM callable
    WHERE due_at IS NOT NULL
    UNION ALL
    SELECT 'me-' || meter_event_id, 'to be cancelled', greatest(s.due_at, lease_until)
    FROM surplus AS s
    JOIN meter_event USING (meter_event_id)
    JOIN callable USING (lane_id)
    WHERE s.due_at IS NOT NULL
    UNION ALL
    SELECT 'signup lane ' || l.signup_lane_id, 'to be made', greatest(l.due_at, l.lease_until)
    FROM signup_lane AS l
    WHERE l.due_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM account AS a WHERE a.account = l.account AND a.paused_until > ledger_now())
        AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
        AND NOT EXISTS (SELECT FROM pause AS p WHERE p.account = l.account AND p.meter = '*')
    UNION ALL
    SELECT 'lane ' || lane_id, 'to be confirmed', confirm_at FROM lane
    UNION ALL
    SELECT 'lane ' || lane_id, 'to be sealed', seal_at
    FROM unsealed
    WHERE NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
    UNION ALL
    SELECT 'me-' || meter_event_id, 'held and to be read back', read_back_at
    FROM meter_event
    WHERE state = 'held' AND NOT is_closed('me-' || meter_event_id)
    UNION ALL
    SELECT 'ev-' || event_id, 'to be applied', due_at FROM event WHERE state = 'received'
) AS due
WHERE since < ledger_now() - %(overdue)s
ORDER BY since
LIMIT %(breaches_max)s
