-- All that is known of a minute in which meter events are held, in one look: what its sum must be if all of them count or
-- none does, when the last attempt ended, and since when they were read as absent. Confirmed ones are visible for sure;
-- of accepted ones a lag may still hide a part, so their last attempts count as well. The canary's every attempt began
-- after those: what was asked for before them may have been received before them; and it has one, because what a restored
-- ledger found in Stripe's books was received nobody knows when. A restore may have forgotten calls, the last of them until
-- it was noticed. What a person discarded while it was held may count or not, as if it were in conflict; and so may what is
-- being taken back.
WITH members AS MATERIALIZED (
    SELECT
        m.meter_event_id, m.generation, m.stamped_at, m.sealed_at, m.accepted_at,
        CASE
            WHEN m.state = 'held' AND is_closed('me-' || m.meter_event_id) THEN 'conflict'
            WHEN m.state = 'confirmed' AND is_being_taken_back(m.meter_event_id) THEN 'conflict'
            ELSE m.state
        END AS state,
        CASE m.formula WHEN 'count' THEN 1 ELSE m.value END AS adds
    FROM meter_event AS m
    WHERE m.lane_id = %(lane_id)s AND (m.meter_stripe_id, m.formula) = (%(meter_stripe_id)s, %(formula)s)
        AND m.stamped_at >= %(start)s AND m.stamped_at < %(start)s + interval '1 minute'
        AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
),
attempts AS (
    SELECT max(coalesce(a.ended_at, a.started_at)) AS last_at, coalesce(bool_or(a.ended_at IS NULL), false) AS is_open
    FROM members AS m
    JOIN attempt AS a USING (meter_event_id)
    WHERE m.state <> 'confirmed'
),
figures AS (
    SELECT
        coalesce(sum(adds) FILTER (WHERE state IN ('accepted', 'confirmed')), 0) AS settled,
        coalesce(sum(adds) FILTER (WHERE state = 'held'), 0) AS held,
        coalesce(min(abs(adds)) FILTER (WHERE state = 'held'), 0) AS held_least,
        coalesce(sum(adds) FILTER (WHERE state = 'confirmed' OR (state IN ('accepted', 'held') AND adds < 0)), 0) AS low,
        coalesce(sum(adds) FILTER (WHERE state = 'confirmed' OR (state IN ('accepted', 'held') AND adds > 0)), 0) AS high,
        count(*) FILTER (WHERE state IN ('accepted', 'held')) = 1 AS is_alone,
        coalesce(
            min(adds) FILTER (WHERE state IN ('accepted', 'held')) < 0
            AND max(adds) FILTER (WHERE state IN ('accepted', 'held')) > 0,
            false
        ) AS is_mixed,
        coalesce(bool_or(state IN ('sealed', 'unknown')), false) AS is_moving,
        coalesce(bool_or(state = 'conflict'), false) AS is_contested,
        min(stamped_at) FILTER (WHERE state = 'held') AS stamped_at,
        max(generation) FILTER (WHERE state = 'held') AS generation,
        max(coalesce(rejection(meter_event_id, generation), suspicion(meter_event_id, generation)))
            FILTER (WHERE state = 'held') AS report,
        greatest(max(accepted_at) FILTER (WHERE state = 'accepted'), max(sealed_at) FILTER (WHERE state = 'held'))
            AS last_settled_at,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE state = 'held'), '{}') AS held_ids,
        coalesce(array_agg(meter_event_id ORDER BY meter_event_id) FILTER (WHERE state = 'accepted'), '{}')
            AS accepted_ids
    FROM members
),
dated AS (
    SELECT f.*, a.is_open, greatest(a.last_at, f.last_settled_at, r.noticed_at) AS last_attempt_at
    FROM figures AS f
    CROSS JOIN attempts AS a
    CROSS JOIN (SELECT max(began_at) AS noticed_at FROM epoch WHERE gap_from IS NOT NULL) AS r
)
SELECT
    %(formula)s AS formula, d.settled, d.held, d.held_least, d.low, d.high, d.is_alone, d.is_mixed,
    d.is_moving OR d.is_open AS is_moving, d.is_contested, d.stamped_at, d.generation, d.last_attempt_at,
    (
        SELECT CASE WHEN count(*) = cardinality(d.held_ids) THEN max(first_at) END
        FROM (
            SELECT min(r.read_at) AS first_at
            FROM members AS m
            JOIN reading AS r USING (meter_event_id, generation)
            WHERE m.state = 'held' AND r.verdict = 'absent' AND r.read_at >= d.last_attempt_at + %(absence_wait)s
                AND NOT EXISTS (
                    SELECT FROM reading AS other
                    WHERE (other.meter_event_id, other.generation) = (r.meter_event_id, r.generation)
                        AND other.verdict <> 'absent' AND other.read_at >= r.read_at
                )
            GROUP BY m.meter_event_id
        ) AS absences
    ) AS absent_since,
    (
        SELECT c.meter_event_id
        FROM meter_event AS c
        WHERE c.meter_stripe_id = %(meter_stripe_id)s AND c.state = 'confirmed' AND c.accepted_at > d.last_attempt_at
            AND EXISTS (SELECT FROM attempt AS late WHERE late.meter_event_id = c.meter_event_id)
            AND NOT EXISTS (
                SELECT FROM attempt AS early
                WHERE early.meter_event_id = c.meter_event_id AND early.started_at <= d.last_attempt_at
            )
        ORDER BY c.accepted_at DESC
        LIMIT 1
    ) AS canary_id,
    d.report, d.held_ids, d.accepted_ids, ledger_now() AS now
FROM dated AS d
