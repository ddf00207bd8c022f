-- The way out of `held`: readings of Stripe's books as facts, and generations after the first.

-- Scheduling: a held meter event is read back again and again, the longest unread first.
ALTER TABLE meter_event ADD COLUMN read_back_at timestamptz;    -- held: when to read it back next; null: not read yet
CREATE INDEX meter_event_to_read_back ON meter_event (read_back_at NULLS FIRST, meter_event_id) WHERE state = 'held';

-- Canaries: the newest that a meter's books have shown. Without this index one question would read all meter events.
CREATE INDEX meter_event_canary ON meter_event (meter_stripe_id, accepted_at) WHERE state = 'confirmed';

-- New steps: a refused one is sent anew under another identifier; one that is proven absent and can no longer be sent
-- is refused; and an acceptance of an older generation contradicts whatever became of it since.
CREATE OR REPLACE TRIGGER meter_event_moves_forward BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('sealed', 'accepted'), ('sealed', 'unknown'), ('sealed', 'refused'), ('sealed', 'held'), ('sealed', 'conflict'),
        ('unknown', 'accepted'), ('unknown', 'held'), ('unknown', 'conflict'),
        ('held', 'accepted'), ('held', 'sealed'), ('held', 'refused'), ('held', 'conflict'),
        ('refused', 'sealed'), ('refused', 'conflict'),
        ('accepted', 'confirmed'), ('accepted', 'held'), ('accepted', 'refused'), ('accepted', 'conflict'),
        ('confirmed', 'refused'), ('confirmed', 'conflict')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');

-- Why a generation was made, for whoever asks why a meter event has two identifiers.
ALTER TABLE generation
    ADD COLUMN made_at timestamptz,         -- null: made before this was kept
    ADD COLUMN reason text;                 -- null: the first
ALTER TABLE generation ALTER COLUMN made_at SET DEFAULT ledger_now();
CREATE OR REPLACE TRIGGER generation_is_immutable
    BEFORE UPDATE OF meter_event_id, generation, identifier, made_at, reason ON generation
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an identifier is for ever');

-- What Stripe's summary said of a held meter event's minute, and what followed. Where several share the minute, each has
-- a row of its own with the same figures.
CREATE TABLE reading (
    reading_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_event_id bigint NOT NULL,
    generation smallint NOT NULL,
    minute timestamptz NOT NULL,
    read_at timestamptz NOT NULL,           -- before the question was asked
    counted numeric NOT NULL,               -- what Stripe's summary of the minute says
    settled numeric NOT NULL,               -- of this, what meter events account for that were accepted before
    expected numeric NOT NULL,              -- what the held ones of the minute add if each counts
    verdict text NOT NULL CHECK (verdict IN
        ('present', 'unseen', 'absent', 'proven_absent', 'part', 'contradicted')),
    canary_id bigint REFERENCES meter_event,  -- accepted after the last attempt, and visible before this reading
    FOREIGN KEY (meter_event_id, generation) REFERENCES generation
);
CREATE INDEX reading_by_meter_event ON reading (meter_event_id, generation, read_at);
CREATE TRIGGER reading_is_immutable BEFORE UPDATE OR DELETE ON reading
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe''s books said at an instant never changes');
