-- The breaker of an account, shared by all processes. It is open while `openings` is above zero: nothing is called before
-- `paused_until`, and then one lane for one call, the trial, which closes it or opens it for longer.
ALTER TABLE account
    ADD COLUMN openings integer NOT NULL DEFAULT 0,    -- in a row, without a success between; the wait doubles with each
    ADD COLUMN trial_lane bigint,                      -- whose call is the trial; null: none is made
    ADD COLUMN trial_until timestamptz,                -- its lease: who makes it may end before it tells
    ADD COLUMN answered_at timestamptz,                -- the last success of a trial; what was asked before tells nothing
    ADD CONSTRAINT an_open_breaker_waits CHECK (openings = 0 OR paused_until IS NOT NULL),
    ADD CONSTRAINT a_trial_has_a_lease CHECK ((trial_lane IS NULL) = (trial_until IS NULL)),
    ADD CONSTRAINT no_trial_while_closed CHECK (openings > 0 OR trial_lane IS NULL);

-- What an outcome that was no success concerned: the meter event, its lane, the limiter, the account's key, or Stripe.
ALTER TABLE attempt ADD COLUMN scope text;

-- Everything that deciding and calling need about one meter event.
CREATE VIEW meter_event_now AS
SELECT
    m.meter_event_id, m.lane_id, l.account, l.meter, m.state, m.generation, g.identifier, g.ambiguous_since, m.payload,
    m.stamped_at, ledger_now() AS now,
    EXISTS (
        SELECT FROM meter_event AS other
        WHERE other.lane_id = m.lane_id AND other.state IN ('sealed', 'unknown') AND other.due_at <= ledger_now()
            AND other.meter_event_id <> m.meter_event_id
    ) AS is_followed,
    EXISTS (
        SELECT FROM attempt AS a WHERE (a.meter_event_id, a.generation) = (m.meter_event_id, m.generation)
    ) AS is_tried
FROM meter_event AS m
JOIN generation AS g USING (meter_event_id, generation)
JOIN lane AS l USING (lane_id);
