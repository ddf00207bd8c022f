-- Hours or minutes of a lane's books as they were confirmed: what Stripe's summary must say if each of their meter events
-- counts once. What Stripe took under an identifier that had been given up counts as well, and what is accepted and known
-- to differ: of both, Stripe may count one too many. In conflict for another reason it stands before a person, and no
-- agreement ends that: it may come from an old copy. A span with anything else in it that may count or not is no span to
-- compare yet; what becomes of that makes its hour due again by itself. What a person takes back counts as nothing, from its
-- cancellation on and for ever: should it show again, its minute is contradicted.
WITH members AS (
    SELECT
        m.meter_event_id, m.state, m.confirmed_at, date_bin(%(length)s, m.stamped_at, 'epoch') AS start,
        CASE m.formula WHEN 'count' THEN 1 ELSE m.value END AS adds,
        m.state = 'conflict' AND m.reason = %(taken_late)s AND NOT is_closed('me-' || m.meter_event_id) AND EXISTS (
            SELECT FROM attempt AS a
            WHERE a.meter_event_id = m.meter_event_id AND a.generation < m.generation AND a.outcome = 'accepted'
        ) AND NOT EXISTS (
            SELECT FROM surplus AS s WHERE s.meter_event_id = m.meter_event_id AND s.ended_at IS NOT NULL
        ) AS is_taken_late,
        m.state = 'accepted' AND m.reason IS NOT NULL AS is_noted,
        m.state IN ('confirmed', 'cancelled') AS is_known,
        m.state = 'cancelled' OR s.correction_id IS NOT NULL AS is_taken_back,
        s.due_at IS NOT NULL AS is_called_for, s.asked_at, s.detail
    FROM meter_event AS m
    LEFT JOIN surplus AS s ON s.meter_event_id = m.meter_event_id AND s.ended_at IS NULL
    WHERE m.lane_id = %(lane_id)s AND (m.meter_stripe_id, m.formula) = (%(meter_stripe_id)s, %(formula)s)
        AND m.stamped_at >= %(since)s AND m.stamped_at < %(until)s
        AND date_bin('1 hour', m.stamped_at, 'epoch') = ANY(%(hours)s)
        AND m.state <> 'refused' AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
),
spans AS (
    SELECT
        start,
        coalesce(sum(adds) FILTER (WHERE NOT is_taken_back AND (is_known OR is_taken_late OR is_noted)), 0) AS expected,
        min(adds) < 0 AND max(adds) > 0 AS is_mixed,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE is_known), '{}') AS confirmed_ids,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE is_taken_late), '{}')
            AS taken_late_ids,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE is_noted), '{}') AS noted_ids,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE asked_at IS NOT NULL), '{}')
            AS cancelling_ids,
        coalesce(
            array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE is_taken_back AND asked_at IS NOT NULL), '{}'
        ) AS taken_back_ids,
        bool_or(is_called_for OR NOT (is_known OR is_taken_late OR is_noted)) AS is_unsettled,
        sum(adds) FILTER (WHERE asked_at IS NOT NULL) AS cancelling,
        max(asked_at) AS asked_at,
        max(detail) AS refusal,
        max(confirmed_at) FILTER (WHERE state = 'confirmed') AS confirmed_at
    FROM members
    GROUP BY start
)
SELECT
    s.start, %(length)s AS length, s.expected, s.is_mixed, s.confirmed_ids, s.taken_late_ids, s.noted_ids,
    s.cancelling_ids, s.taken_back_ids, s.is_unsettled, s.cancelling, s.asked_at, s.refusal, a.agreed_at, d.differs_since, ledger_now() AS now
FROM spans AS s
CROSS JOIN LATERAL (
    SELECT greatest(s.confirmed_at, max(r.read_at)) AS agreed_at
    FROM second_reading AS r
    WHERE (r.lane_id, r.meter_stripe_id, r.formula) = (%(lane_id)s, %(meter_stripe_id)s, %(formula)s)
        AND r.start > s.start - interval '1 hour' AND r.start <= s.start AND s.start < r.start + r.length
        AND r.verdict = 'agreed'
) AS a
CROSS JOIN LATERAL (
    SELECT min(r.read_at) AS differs_since
    FROM second_reading AS r
    WHERE (r.lane_id, r.meter_stripe_id, r.formula, r.start) = (%(lane_id)s, %(meter_stripe_id)s, %(formula)s, s.start)
        AND r.length = %(length)s AND r.verdict = 'differs'
        AND r.read_at > coalesce(a.agreed_at, '-infinity') AND r.read_at > coalesce(s.asked_at, '-infinity')
) AS d
ORDER BY s.start
