-- Nothing is sent: Stripe refuses the key, which a person alone can mend, or fails for longer than a short trouble lasts:
-- the breaker stays open, or every call of half a minute failed at Stripe's side, be it of one lane, for which no breaker
-- opens. Calls for subscriptions open none either, so they are asked as well, and by themselves, since Stripe may fail at
-- the one and not at the other; a key that it refuses them is refused to all. Of calls the newest are looked at, and those
-- that Stripe answered in any other way end it. Where nothing is due any more, nothing is stopped.
WITH called AS MATERIALIZED (
    SELECT 'meter events' AS kind, a.started_at, a.ended_at, a.status, a.scope = 'stripe' AS has_failed, a.detail
    FROM (SELECT * FROM attempt ORDER BY attempt_id DESC LIMIT 1000) AS a
    JOIN lane AS l USING (lane_id)
    WHERE l.account = %(account)s AND a.ended_at > ledger_now() - interval '1 hour'
    UNION ALL
    SELECT
        'subscriptions', a.started_at, a.ended_at, a.status,
        CASE
            WHEN a.status IS NULL THEN coalesce(a.code, '') NOT IN ('lost', 'not_made')
            ELSE a.status <> 200 AND a.status NOT BETWEEN 400 AND 499 AND NOT a.is_replayed
        END,
        a.detail
    FROM (SELECT * FROM signup_attempt ORDER BY signup_attempt_id DESC LIMIT 1000) AS a
    JOIN signup_lane AS l USING (signup_lane_id)
    WHERE l.account = %(account)s AND a.ended_at > ledger_now() - interval '1 hour'
),
due AS (
    SELECT 'meter events' AS kind
    WHERE EXISTS (SELECT FROM lane AS l WHERE l.account = %(account)s AND l.due_at IS NOT NULL)
    UNION ALL
    SELECT 'subscriptions'
    WHERE EXISTS (SELECT FROM signup_lane AS l WHERE l.account = %(account)s AND l.due_at IS NOT NULL)
),
stopping AS (
    SELECT true AS is_of_key, 'nothing is sent: ' || concat_ws(': ', newest.status, newest.detail) AS said
    FROM (SELECT * FROM called WHERE status IS NOT NULL ORDER BY ended_at DESC LIMIT 1) AS newest
    JOIN due USING (kind)
    WHERE newest.kind = 'subscriptions' AND newest.status = 401
    UNION ALL
    SELECT
        false,
        CASE kind WHEN 'meter events' THEN 'nothing is sent' ELSE 'no subscription is made' END || ': Stripe fails: '
            || coalesce(
                nullif((array_agg(concat_ws(': ', c.status, c.detail) ORDER BY c.ended_at DESC))[1], ''), 'no answer'
            )
    FROM called AS c
    JOIN due USING (kind)
    WHERE c.has_failed AND c.started_at > coalesce(
        (
            SELECT max(o.ended_at)
            FROM called AS o
            WHERE o.kind = c.kind AND o.status IS NOT NULL AND o.has_failed IS NOT TRUE
        ),
        '-infinity'
    )
    GROUP BY kind
    HAVING count(*) >= 3 AND min(c.started_at) < ledger_now() - interval '30 seconds'
    UNION ALL
    SELECT pause_reason ~ '^40[13]:', 'nothing is sent: ' || coalesce(pause_reason, 'the breaker is open')
    FROM account
    WHERE account = %(account)s AND openings > CASE WHEN pause_reason ~ '^40[13]:' THEN 0 ELSE 4 END
)
SELECT
    'stripe' AS subject,
    coalesce(is_of_key, false) AS is_urgent,
    NULL AS customer,
    NULL AS meter,
    NULL AS item,
    NULL AS price,
    NULL::timestamptz AS stretch_start,
    0::bigint AS rows,
    0::numeric AS units,
    NULL AS invoice,
    NULL::timestamptz AS since,
    NULL::timestamptz AS until,
    NULL::timestamptz AS deadline,
    said
FROM stopping
ORDER BY is_urgent DESC, said DESC
LIMIT 1
