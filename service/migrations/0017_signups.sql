-- Signups: subscriptions that are to be made at Stripe, each once.

-- Rows of subscriptions go through the same door as rows of usage: one key a row, one quarantine, one set of conflicts.
ALTER TABLE quarantine ADD COLUMN schema text NOT NULL DEFAULT 'usage.1';  -- by whose rules it was read, and is read again
ALTER TABLE row_conflict ALTER COLUMN meter DROP NOT NULL;
ALTER TABLE row_conflict ALTER COLUMN value DROP NOT NULL;
ALTER TABLE row_conflict ALTER COLUMN occurred_at DROP NOT NULL;
ALTER TABLE row_conflict ADD COLUMN said jsonb;                            -- of a subscription: all that it said
ALTER TABLE row_conflict ADD CONSTRAINT usage_or_subscription
    CHECK ((said IS NULL) = (meter IS NOT NULL AND value IS NOT NULL AND occurred_at IS NOT NULL));

-- A customer whose subscriptions are made here: leased as a whole, at most one call in flight, so that of two signups the
-- second sees what became of the first.
CREATE TABLE signup_lane (
    signup_lane_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    customer text NOT NULL,
    due_at timestamptz,                     -- when to look at it next; null: nothing is due
    lease_until timestamptz,
    fence bigint NOT NULL DEFAULT 0,
    UNIQUE (account, customer)
);
CREATE INDEX signup_lane_due ON signup_lane (account, due_at) WHERE due_at IS NOT NULL;

-- A subscription row that the ledger has accepted.
CREATE TABLE signup (
    signup_id bigint PRIMARY KEY,           -- row_key's entry_id
    signup_lane_id bigint NOT NULL REFERENCES signup_lane,
    intake_id bigint NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    import_name text,                       -- the file that it came with; null: it came by itself
    price text NOT NULL,
    said jsonb NOT NULL,                    -- all that the row said, as it was read
    identifier text NOT NULL UNIQUE,        -- made of account, source and row id: in the subscription's metadata, and its key
    replaces bigint UNIQUE REFERENCES signup,   -- the one that a person told again, corrected, as this one
    state text NOT NULL DEFAULT 'due' CHECK (state IN
        ('due', 'unknown', 'held', 'created', 'refused', 'blocked', 'conflict', 'replaced')),
    reason text,
    due_at timestamptz DEFAULT ledger_now(),
    meter_stripe_id text,                   -- as its price told; null: not read yet
    key_number smallint NOT NULL DEFAULT 0, -- a new key only after proof that the last one made nothing
    ambiguous_since timestamptz,            -- start of the first creation under this key that Stripe may have made
    creation jsonb,                         -- what Stripe is asked for, from the first call on
    subscription text,                      -- Stripe's id of it
    settled_at timestamptz,                 -- when it came to its present state, of those that wait for nothing here
    CONSTRAINT due_while_it_goes_on CHECK ((due_at IS NOT NULL) = (state IN ('due', 'unknown', 'held'))),
    CONSTRAINT created_with_its_subscription CHECK (subscription IS NOT NULL OR state <> 'created'),
    CONSTRAINT a_person_is_told_why CHECK (reason IS NOT NULL OR state NOT IN ('held', 'refused', 'blocked', 'conflict'))
);
CREATE INDEX signup_of_lane ON signup (signup_lane_id, signup_id);
CREATE INDEX signup_by_state ON signup (state) WHERE state <> 'created';
CREATE INDEX signup_of_import ON signup (import_name) WHERE import_name IS NOT NULL;
CREATE TRIGGER signup_is_immutable
    BEFORE UPDATE OF signup_id, signup_lane_id, intake_id, source, row_id, import_name, price, said, identifier, replaces
    ON signup
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a signup never changes; tell it again, corrected, as another row');
CREATE TRIGGER signup_stays BEFORE DELETE ON signup
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was to be made stays on the books');
CREATE TRIGGER creation_is_fixed BEFORE UPDATE OF creation ON signup
    FOR EACH ROW WHEN (OLD.creation IS NOT NULL AND NEW.creation IS DISTINCT FROM OLD.creation)
    EXECUTE FUNCTION refuse_change('what Stripe was asked for never changes');
CREATE TRIGGER signup_moves_forward BEFORE UPDATE OF state ON signup
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('due', 'unknown'), ('due', 'created'), ('due', 'refused'), ('due', 'blocked'), ('due', 'conflict'),
        ('unknown', 'created'), ('unknown', 'held'), ('unknown', 'conflict'), ('unknown', 'due'),
        ('held', 'created'), ('held', 'due'), ('held', 'conflict'),
        ('refused', 'due'), ('refused', 'replaced'), ('refused', 'created'), ('refused', 'conflict'),
        ('blocked', 'due'), ('blocked', 'replaced'), ('blocked', 'created'), ('blocked', 'conflict'),
        ('created', 'conflict'), ('replaced', 'conflict')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');

-- A step of a signup that is done, and what it told: written once, so that whoever goes on begins behind it.
CREATE TABLE signup_step (
    signup_id bigint NOT NULL REFERENCES signup,
    step text NOT NULL CHECK (step IN ('price', 'product', 'tax_id', 'payment_method', 'create')),
    about text NOT NULL DEFAULT '',         -- which of several: the tax id's type and value
    found text NOT NULL,                    -- Stripe's id of what is there now
    told jsonb NOT NULL DEFAULT '{}',       -- what later steps need of it
    done_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (signup_id, step, about)
);
CREATE TRIGGER signup_step_is_immutable BEFORE UPDATE OR DELETE ON signup_step
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a step is taken once');

-- What a list of the customer's subscriptions said of a signup.
CREATE TABLE signup_listing (
    signup_listing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signup_id bigint NOT NULL REFERENCES signup,
    read_at timestamptz NOT NULL DEFAULT ledger_now(),
    key_number smallint NOT NULL,           -- of the key that had been used by then
    verdict text NOT NULL CHECK (verdict IN ('clear', 'absent', 'duplicate', 'ours', 'several')),
    subscriptions text[] NOT NULL           -- those that the verdict is about
);
CREATE INDEX signup_listing_of ON signup_listing (signup_id, signup_listing_id);
CREATE TRIGGER signup_listing_is_immutable BEFORE UPDATE OR DELETE ON signup_listing
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe listed then never changes');

-- One call to Stripe for a signup, reading or writing, committed before it is made and closed after it.
CREATE TABLE signup_attempt (
    signup_attempt_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    signup_lane_id bigint NOT NULL REFERENCES signup_lane,
    signup_id bigint NOT NULL REFERENCES signup,
    step text NOT NULL CHECK (step IN ('price', 'list', 'product', 'tax_id', 'payment_method', 'create')),
    about text NOT NULL DEFAULT '',
    idempotency_key text,                   -- null: it only reads
    fence bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT ledger_now(),
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('accepted', 'refused', 'unavailable', 'unknown')),
    status smallint,
    code text,
    detail text,
    request_id text,
    is_replayed boolean NOT NULL DEFAULT false,
    CONSTRAINT ended_with_an_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX one_open_attempt_a_signup_lane ON signup_attempt (signup_lane_id) WHERE ended_at IS NULL;
CREATE INDEX signup_attempt_of ON signup_attempt (signup_id, signup_attempt_id);
CREATE TRIGGER signup_attempt_is_immutable
    BEFORE UPDATE OF signup_attempt_id, signup_lane_id, signup_id, step, about, idempotency_key, fence, started_at
    ON signup_attempt
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an attempt is what was asked, for ever');
CREATE TRIGGER signup_attempt_ends_once
    BEFORE UPDATE OF ended_at, outcome, status, code, request_id, is_replayed ON signup_attempt
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND OLD.code IS DISTINCT FROM 'lost')
    EXECUTE FUNCTION refuse_change('an answer is given once');
CREATE TRIGGER signup_attempt_stays BEFORE DELETE ON signup_attempt
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was asked stays on the books');
