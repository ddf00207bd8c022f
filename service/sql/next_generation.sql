-- A new identifier, where no attempt under the old ones can have counted: Stripe refused it, or its latest reading proves
-- it absent. Asked here and not before, so that nothing that was asked for twice, or on an old belief, is sent twice. A
-- restored ledger may have forgotten that a refused one was sent again: none before it was compared with Stripe's books,
-- nor where these count something in its minute that nothing else explains, whatever a person did about that. What an
-- error report concerns is not sent anew by itself; and what it refused is by nobody while a call for it is under way, nor
-- where Stripe's books had shown it before. None of a time whose invoice is final: it would be billed on none.
WITH moved AS (
    UPDATE meter_event AS m
    SET generation = m.generation + 1, state = 'sealed', reason = NULL, due_at = ledger_now(), accepted_at = NULL,
        checked_at = NULL, read_back_at = NULL
    WHERE m.meter_event_id = %(meter_event_id)s AND m.stamped_at > ledger_now() - %(age_max)s
        AND NOT is_closed('me-' || m.meter_event_id)
        AND NOT EXISTS (
            SELECT FROM lane AS l
            CROSS JOIN LATERAL closing_of(l.account, l.customer, m.meter_stripe_id, m.stamped_at)
            WHERE l.lane_id = m.lane_id
        )
        AND ((
            m.state = 'refused' AND m.confirmed_at IS NULL
            AND NOT EXISTS (SELECT FROM epoch WHERE confirmed_at IS NULL)
            AND NOT EXISTS (
                SELECT FROM attempt AS a WHERE a.meter_event_id = m.meter_event_id AND a.ended_at IS NULL
            )
            AND NOT EXISTS (
                SELECT FROM external AS x
                WHERE x.lane_id = m.lane_id AND x.minute = date_bin('1 minute', m.stamped_at, 'epoch')
                    AND x.meter_event_id IS NULL
            )
        ) OR (
            m.state = 'held' AND rejection(m.meter_event_id, m.generation) IS NULL
            AND suspicion(m.meter_event_id, m.generation) IS NULL
            AND 'proven_absent' = (
                SELECT r.verdict
                FROM reading AS r
                WHERE (r.meter_event_id, r.generation) = (m.meter_event_id, m.generation)
                ORDER BY r.reading_id DESC
                LIMIT 1
            )
        ))
    RETURNING m.meter_event_id, m.generation, m.lane_id
),
rung AS (
    UPDATE lane
    SET due_at = least(due_at, ledger_now())
    WHERE lane_id IN (SELECT lane_id FROM moved)
)
INSERT INTO generation (meter_event_id, generation, identifier, reason)
SELECT meter_event_id, generation, new_identifier(meter_event_id, generation), %(reason)s
FROM moved
RETURNING generation, identifier
