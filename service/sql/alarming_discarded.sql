-- Usage of a stretch that ended and that no invoice has, one line a stretch: its subscription was cancelled at once; or
-- its price changed, and a later invoice of the subscription is final without it, as always in classic billing; or its
-- period is over for longer than any draft waits. What a draft has a line of is cut no more, since the line tells its
-- stretch. A few seconds pass before it is said, as the invoice of the same moment may be told after it.
SELECT
    concat_ws('/', s.item, s.price, extract(epoch FROM s.starts_at)::bigint) AS subject,
    false AS is_urgent,
    s.customer,
    u.meter,
    s.item,
    s.price,
    s.starts_at AS stretch_start,
    u.rows,
    u.units,
    NULL::text AS invoice,
    u.since,
    u.until,
    NULL::timestamptz AS deadline,
    format(
        CASE s.cut
            WHEN 'cancelled' THEN '%%s was cancelled at %%s UTC, and no invoice has its usage'
            WHEN 'changed' THEN 'an item of %%s was changed at %%s UTC, and no invoice has its usage of before'
            ELSE 'a period of %%s ended at %%s UTC, and no invoice has its usage'
        END,
        s.subscription, to_char(s.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    ) AS said
FROM (
    SELECT c.* FROM stretch AS c
    WHERE c.account = %(account)s AND c.cut = 'cancelled' AND c.closed_at IS NULL AND NOT c.is_trial
    UNION ALL
    SELECT c.* FROM stretch AS c
    JOIN mirror AS m ON (m.account, m.kind, m.object_id) = (c.account, 'subscription', c.subscription)
    WHERE c.account = %(account)s AND c.cut = 'changed' AND c.closed_at IS NULL AND NOT c.is_trial
        AND (
            m.facts ->> 'billing_mode' = 'classic'
            OR (m.facts ->> 'ended_at')::timestamptz < ledger_now() - interval '4 days'
            OR EXISTS (
                SELECT FROM stretch AS o
                WHERE (o.account, o.subscription) = (c.account, c.subscription)
                    AND o.closed_at >= c.ends_at AND o.ends_at > c.ends_at
            )
        )
    UNION ALL
    SELECT c.* FROM stretch AS c
    WHERE c.account = %(account)s AND c.cut IS NULL AND c.closed_at IS NULL AND NOT c.is_trial
        AND c.ends_at < ledger_now() - interval '5 days' AND c.ends_at > ledger_now() - interval '35 days'
        AND c.learnt_at < c.ends_at
        AND NOT EXISTS (
            SELECT FROM mirror AS d
            WHERE (d.account, d.customer, d.kind) = (c.account, c.customer, 'invoice')
                AND d.facts ->> 'status' = 'draft'
        )
) AS s
CROSS JOIN LATERAL usage_within(s.account, s.customer, s.meter_stripe_id, s.starts_at, s.ends_at) AS u
WHERE s.ends_at < ledger_now() - interval '20 seconds' AND u.units <> 0
ORDER BY u.since, subject
