-- Nothing is sent: Stripe refuses the key, which a person alone can mend, or fails for longer than a short trouble lasts:
-- the breaker stays open, or every call of half a minute failed at Stripe's side, be it of one lane, for which no breaker
-- opens. Of calls the newest are looked at, and those that Stripe answered in any other way end it. Where nothing is due
-- any more, nothing is stopped.
WITH called AS MATERIALIZED (
    SELECT a.started_at, a.ended_at, a.status, a.scope, a.detail
    FROM (SELECT * FROM attempt ORDER BY attempt_id DESC LIMIT 1000) AS a
    JOIN lane AS l USING (lane_id)
    WHERE l.account = %(account)s AND a.ended_at > ledger_now() - interval '1 hour'
),
failing AS (
    SELECT
        count(*) AS calls, min(c.started_at) AS since,
        (array_agg(concat_ws(': ', c.status, c.detail) ORDER BY c.ended_at DESC))[1] AS reason
    FROM called AS c
    WHERE c.scope = 'stripe' AND c.started_at > coalesce(
        (SELECT max(o.ended_at) FROM called AS o WHERE o.status IS NOT NULL AND o.scope IS DISTINCT FROM 'stripe'),
        '-infinity'
    )
)
SELECT
    'stripe' AS subject,
    coalesce(a.pause_reason ~ '^40[13]:', false) AS is_urgent,
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
    'nothing is sent: ' || CASE
        WHEN a.openings > 0 THEN coalesce(a.pause_reason, 'the breaker is open')
        ELSE 'Stripe fails: ' || coalesce(nullif(f.reason, ''), 'no answer')
    END AS said
FROM account AS a
CROSS JOIN failing AS f
WHERE a.account = %(account)s AND (
    a.openings > CASE WHEN a.pause_reason ~ '^40[13]:' THEN 0 ELSE 4 END
    OR (
        f.calls >= 3 AND f.since < ledger_now() - interval '30 seconds'
        AND EXISTS (SELECT FROM lane AS l WHERE l.account = a.account AND l.due_at IS NOT NULL)
    )
)
