-- Stripe's books are read for them soon: for what is accepted with its lane, for what is held by itself. Returns what is
-- confirmed, whose hours are read again.
WITH suspects AS (
    SELECT m.meter_event_id, m.lane_id, m.state
    FROM suspect AS s
    JOIN meter_event AS m USING (meter_event_id, generation)
    WHERE (s.account, s.event_id) = (%(account)s, %(event_id)s)
),
lanes AS (
    UPDATE lane
    SET confirm_at = least(confirm_at, ledger_now() + %(confirm_after)s)
    WHERE lane_id IN (SELECT lane_id FROM suspects WHERE state = 'accepted')
),
held AS (
    UPDATE meter_event
    SET read_back_at = least(read_back_at, ledger_now())
    WHERE meter_event_id IN (SELECT meter_event_id FROM suspects WHERE state = 'held')
)
SELECT meter_event_id
FROM suspects
WHERE state = 'confirmed'
