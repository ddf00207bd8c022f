-- What is confirmed is read again: whole hours of a lane at a time, as facts with their figures. A surplus that one call
-- too many explains is cancelled at Stripe while it allows that, every call written down before it is made.

-- An hour of a lane's books that was confirmed, and when to read it again. Written as its meter events are confirmed; one
-- row for all of them, so that nothing here is done a meter event.
CREATE TABLE confirmed_hour (
    lane_id bigint NOT NULL REFERENCES lane,
    meter_stripe_id text NOT NULL,
    formula text NOT NULL,
    hour timestamptz NOT NULL,
    accepted_at timestamptz NOT NULL,       -- of the newest in it; its readings are counted from here
    read_at timestamptz NOT NULL,           -- when Stripe's books were last compared with ours
    due_at timestamptz,                     -- when to read it next; null: it has had its last reading
    unread_since timestamptz,               -- Stripe refuses to tell since then, and the turn stays; null: it tells
    PRIMARY KEY (lane_id, meter_stripe_id, formula, hour)
);
CREATE INDEX confirmed_hour_due ON confirmed_hour (due_at, lane_id, hour) WHERE due_at IS NOT NULL;

-- What is known of the mirrors about a finalization to come.
CREATE INDEX invoice_to_finalize ON invoice (account, automatically_finalizes_at) WHERE status = 'draft';
CREATE INDEX period_edge_by_time ON period_edge (account, edge_at);

-- When an hour is read next: at the first of the readings that is still to come; null: the last one was.
CREATE FUNCTION next_second_reading(accepted_at timestamptz, read_at timestamptz, readings interval[])
RETURNS timestamptz
LANGUAGE sql IMMUTABLE
RETURN (SELECT min(accepted_at + reading) FROM unnest(readings) AS reading WHERE accepted_at + reading > read_at);

-- What was confirmed before this table was: recent hours are read now, the others before their invoice is finalized.
INSERT INTO confirmed_hour (lane_id, meter_stripe_id, formula, hour, accepted_at, read_at, due_at)
SELECT
    lane_id, meter_stripe_id, formula, date_bin('1 hour', stamped_at, 'epoch'), max(accepted_at), max(confirmed_at),
    CASE WHEN max(accepted_at) > ledger_now() - interval '45 hours' THEN ledger_now() END
FROM meter_event
WHERE state = 'confirmed' AND accepted_at IS NOT NULL AND confirmed_at IS NOT NULL AND formula <> 'last'
GROUP BY lane_id, meter_stripe_id, formula, date_bin('1 hour', stamped_at, 'epoch');

-- What Stripe's summary said later of an hour or a minute that was confirmed, and what followed.
CREATE TABLE second_reading (
    second_reading_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id bigint NOT NULL REFERENCES lane,
    meter_stripe_id text NOT NULL,
    formula text NOT NULL,
    start timestamptz NOT NULL,
    length interval NOT NULL,
    read_at timestamptz NOT NULL,           -- before the question was asked
    counted numeric NOT NULL,               -- what Stripe's summary says
    expected numeric NOT NULL,              -- what it says if each meter event counts once
    verdict text NOT NULL CHECK (verdict IN
        ('agreed', 'differs', 'surplus', 'pending', 'contradicted', 'elsewhere'))
);
CREATE INDEX second_reading_of ON second_reading (lane_id, meter_stripe_id, formula, start);
CREATE TRIGGER second_reading_is_immutable BEFORE UPDATE OR DELETE ON second_reading
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe''s books said at an instant never changes');

-- A meter event that Stripe counts once too often, and how far its cancellation is. One a meter event, for ever: what a
-- cancellation did not set right is not asked for again.
CREATE TABLE surplus (
    meter_event_id bigint PRIMARY KEY,
    generation smallint NOT NULL,           -- under whose identifier the copy too many was received
    found_at timestamptz NOT NULL DEFAULT ledger_now(),
    cancel_until timestamptz NOT NULL,      -- Stripe cancels what it received within a day; no call is begun later
    due_at timestamptz,                     -- when to call next; null: no call is due any more
    asked_at timestamptz,                   -- when a call that may have cancelled it ended; Stripe's books tell the rest
    detail text,                            -- Stripe's words where it refused
    ended_at timestamptz,
    ending text CHECK (ending IN ('cancelled', 'contradicted')),
    FOREIGN KEY (meter_event_id, generation) REFERENCES generation,
    CONSTRAINT ended_with_an_ending CHECK ((ended_at IS NULL) = (ending IS NULL)),
    CONSTRAINT due_until_it_ends CHECK (due_at IS NULL OR ended_at IS NULL)
);
CREATE INDEX surplus_to_cancel ON surplus (due_at) WHERE due_at IS NOT NULL;
CREATE TRIGGER surplus_is_immutable BEFORE UPDATE OF meter_event_id, generation, found_at, cancel_until ON surplus
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what is to be cancelled never changes');
CREATE TRIGGER surplus_ends_once BEFORE UPDATE ON surplus
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a meter event is cancelled once at most');
CREATE TRIGGER surplus_stays BEFORE DELETE ON surplus
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was found stays on the books');

-- One call that cancels, committed before it is made and closed after it, as an attempt is.
CREATE TABLE cancellation (
    cancellation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id bigint NOT NULL REFERENCES lane,
    meter_event_id bigint NOT NULL REFERENCES surplus,
    generation smallint NOT NULL,
    identifier text NOT NULL,
    idempotency_key text NOT NULL,
    fence bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT ledger_now(),
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('accepted', 'refused', 'unavailable', 'unknown')),
    status smallint,
    code text,
    detail text,
    request_id text,
    is_replayed boolean NOT NULL DEFAULT false,
    FOREIGN KEY (meter_event_id, generation) REFERENCES generation,
    CONSTRAINT ended_with_an_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX one_open_cancellation_a_lane ON cancellation (lane_id) WHERE ended_at IS NULL;
CREATE INDEX cancellation_of ON cancellation (meter_event_id, cancellation_id);
CREATE TRIGGER cancellation_is_immutable
    BEFORE UPDATE OF
        cancellation_id, lane_id, meter_event_id, generation, identifier, idempotency_key, fence, started_at
    ON cancellation
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a cancellation is what was asked, for ever');
CREATE TRIGGER cancellation_ends_once
    BEFORE UPDATE OF ended_at, outcome, status, code, detail, request_id, is_replayed ON cancellation
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND OLD.code IS DISTINCT FROM 'lost')
    EXECUTE FUNCTION refuse_change('an answer is given once');
CREATE TRIGGER cancellation_stays BEFORE DELETE ON cancellation
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was asked stays on the books');

-- Which calls may have counted: what Stripe took, and what ended without anyone hearing what it did.
CREATE INDEX attempt_that_may_count ON attempt (meter_event_id, generation)
    WHERE outcome IS NULL OR outcome IN ('accepted', 'unknown');

-- A new step: what Stripe took under an identifier that had been given up is confirmed after all, once its books show it
-- exactly once.
CREATE OR REPLACE TRIGGER meter_event_moves_forward BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('sealed', 'accepted'), ('sealed', 'unknown'), ('sealed', 'refused'), ('sealed', 'held'), ('sealed', 'conflict'),
        ('unknown', 'accepted'), ('unknown', 'held'), ('unknown', 'conflict'),
        ('held', 'accepted'), ('held', 'sealed'), ('held', 'refused'), ('held', 'conflict'),
        ('refused', 'sealed'), ('refused', 'conflict'),
        ('accepted', 'confirmed'), ('accepted', 'held'), ('accepted', 'refused'), ('accepted', 'conflict'),
        ('confirmed', 'refused'), ('confirmed', 'conflict'),
        ('conflict', 'confirmed')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');
