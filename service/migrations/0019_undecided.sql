-- What the questions of alarms ask of usage that is on no invoice, or on a wrong one, while it is not decided yet: what
-- waited or was in doubt when its invoice became final, and what a boundary divides that was learnt later.

-- Whether a closed stretch is compared with what the ledger has of it: its line's quantity is known, and it was not
-- learnt long after it was closed. Where it is compared, its invoice tells how much of what was in doubt then counted.
CREATE FUNCTION is_compared(s stretch) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN s.billed IS NOT NULL AND s.learnt_at < s.closed_at + interval '1 day';

-- The stretch whose invoice was final without a meter event that Stripe is not known to have: no call of before may have
-- counted, so that it is late whatever becomes of it. What was called for before may be on the invoice, which says so by
-- its quantity; where that says nothing, it is told here, too. No row: none. What costs is asked last: of what waits in a
-- pause, which may be a lot, nothing was called for, and nothing stands before a person.
CREATE FUNCTION closed_without(of_account text, of_customer text, m meter_event) RETURNS SETOF stretch
LANGUAGE sql STABLE AS $$
    SELECT c.*
    FROM closing_of(of_account, of_customer, m.meter_stripe_id, m.stamped_at) AS c
    WHERE m.state IN ('sealed', 'unknown', 'held', 'conflict')
        AND (
            NOT EXISTS (SELECT FROM attempt AS a WHERE a.meter_event_id = m.meter_event_id)
            OR NOT is_called_before(m.meter_event_id, c.closed_at) OR NOT is_compared(c)
        )
        AND (m.state IN ('sealed', 'unknown') OR NOT is_closed('me-' || m.meter_event_id))
$$;

-- Entries that another stretch bills than the one at the time which Stripe was told for their meter event, because a
-- boundary between the two was learnt after it was sealed. With each the stretch that tells their money: the one that
-- counts them and should not, else the one that lacks them, which no stretch counts. Whatever a person corrects of it
-- ends it, and so does a boundary that is none any more.
CREATE VIEW straddling_entry AS
SELECT
    l.account, l.customer, l.meter, m.lane_id, m.meter_event_id, m.formula, m.stamped_at, e.entry_id, e.value,
    e.occurred_at, b.item, b.price, b.starts_at AS stretch_start, b.invoice, NOT b.is_counting AS is_missing,
    CASE WHEN greatest(m.stamped_at, e.occurred_at) >= b.ends_at THEN b.ends_at ELSE b.starts_at END AS edge_at
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
JOIN entry AS e USING (meter_event_id)
CROSS JOIN LATERAL (
    SELECT
        s.item, s.price, s.starts_at, s.ends_at, s.invoice,
        s.starts_at <= m.stamped_at AND s.ends_at > m.stamped_at AS is_counting
    FROM stretch AS s
    WHERE (s.account, s.customer, s.meter_stripe_id) = (l.account, l.customer, m.meter_stripe_id)
        AND (s.starts_at <= m.stamped_at AND s.ends_at > m.stamped_at)
            <> (s.starts_at <= e.occurred_at AND s.ends_at > e.occurred_at)
    ORDER BY is_counting DESC, s.item, s.price, s.starts_at
    LIMIT 1
) AS b
WHERE EXISTS (SELECT FROM straddle AS d WHERE d.meter_event_id = m.meter_event_id)
    AND m.state NOT IN ('refused', 'cancelled') AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM correction AS c WHERE c.meter_event_id = m.meter_event_id OR c.corrected_entry_id = e.entry_id
    );

-- Of a lane's stretches, which become ever more, those that usage of late may belong to: each meter event asks.
CREATE INDEX stretch_open_of_lane ON stretch (account, customer, meter_stripe_id) WHERE closed_at IS NULL AND NOT is_trial;
CREATE INDEX stretch_closed_of_lane ON stretch (account, customer, meter_stripe_id, ends_at)
    WHERE closed_at IS NOT NULL AND NOT is_trial;
