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
    stands_since timestamptz NOT NULL DEFAULT ledger_now(),  -- in its present state
    is_allowed boolean NOT NULL DEFAULT false,  -- a person says that another subscription on its meter is meant
    asked_at timestamptz,                   -- when a person last asked for another look; what was listed before is old
    CONSTRAINT due_while_it_goes_on CHECK ((due_at IS NOT NULL) = (state IN ('due', 'unknown', 'held'))),
    CONSTRAINT created_with_its_subscription CHECK (subscription IS NOT NULL OR state <> 'created'),
    CONSTRAINT a_person_is_told_why CHECK (reason IS NOT NULL OR state NOT IN ('held', 'refused', 'blocked', 'conflict'))
);
CREATE INDEX signup_of_lane ON signup (signup_lane_id, signup_id);
CREATE INDEX signup_by_state ON signup (state) WHERE state <> 'created';
CREATE INDEX signup_by_subscription ON signup (subscription) WHERE subscription IS NOT NULL;
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
CREATE TRIGGER signup_stands_since BEFORE UPDATE OF state ON signup
    FOR EACH ROW WHEN (OLD.state <> NEW.state)
    EXECUTE FUNCTION note_standing();
CREATE TRIGGER signup_moves_forward BEFORE UPDATE OF state ON signup
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('due', 'unknown'), ('due', 'created'), ('due', 'refused'), ('due', 'blocked'), ('due', 'held'), ('due', 'conflict'),
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
CREATE INDEX signup_step_found ON signup_step (found, step, done_at);  -- what one signup learnt serves the others
CREATE TRIGGER signup_step_is_immutable BEFORE UPDATE OR DELETE ON signup_step
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a step is taken once');

-- What a list of the customer's subscriptions said of a signup.
CREATE TABLE signup_listing (
    signup_listing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signup_id bigint NOT NULL REFERENCES signup,
    read_at timestamptz NOT NULL DEFAULT ledger_now(),
    key_number smallint NOT NULL,           -- of the key that had been used by then
    verdict text NOT NULL CHECK (verdict IN ('clear', 'duplicate', 'ours', 'several')),
    subscriptions text[] NOT NULL,          -- those that the verdict is about
    ended text[] NOT NULL                   -- those on its meter that bill no more
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
CREATE INDEX signup_attempt_by_key ON signup_attempt (idempotency_key) WHERE step = 'create';
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

-- The desk ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_if_signup_discarded() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF is_closed('su-' || NEW.signup_id) THEN
        RAISE EXCEPTION 'su-% was discarded by a person, and nothing more of it is made', NEW.signup_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER discarded_signup_is_not_made BEFORE UPDATE OF state ON signup
    FOR EACH ROW WHEN (OLD.state IN ('refused', 'blocked', 'held') AND NEW.state = 'due')
    EXECUTE FUNCTION refuse_if_signup_discarded();

CREATE OR REPLACE VIEW dead_letter AS
SELECT
    'me-' || m.meter_event_id AS letter, m.state AS class, m.reason,
    coalesce(m.stands_since, m.accepted_at, m.sealed_at) AS since,
    l.account, l.customer, l.meter, m.value, m.entries AS rows
FROM meter_event AS m
JOIN lane AS l USING (lane_id)
WHERE m.state IN ('refused', 'held', 'conflict') AND NOT is_closed('me-' || m.meter_event_id)
UNION ALL
SELECT
    'q-' || q.quarantine_id, 'quarantined', concat_ws(': ', q.field, q.reason), i.recorded_at,
    NULL, NULL, NULL, NULL, 1
FROM quarantine AS q
JOIN intake AS i USING (intake_id)
WHERE NOT is_closed('q-' || q.quarantine_id)
UNION ALL
SELECT
    'rc-' || c.conflict_id, 'row_conflict', format('row %s of %s was told before with other content', row_id, source),
    i.recorded_at, c.account, c.customer, c.meter, c.value, 1
FROM row_conflict AS c
JOIN intake AS i USING (intake_id)
WHERE NOT is_closed('rc-' || c.conflict_id)
UNION ALL
SELECT
    'ev-' || e.event_id, 'failed', concat_ws(': ', e.type, e.reason), e.received_at, e.account, NULL, NULL, NULL, 0
FROM event AS e
WHERE e.state = 'failed' AND NOT is_closed('ev-' || e.event_id)
UNION ALL
SELECT
    'ex-' || x.external_id, 'external',
    format('Stripe counts it at %s, and the restored ledger has no rows for it (any more)', x.minute), x.found_at,
    l.account, l.customer, l.meter, x.value, 0
FROM open_external AS x
JOIN lane AS l USING (lane_id)
UNION ALL
SELECT
    'su-' || s.signup_id, s.state, s.reason, s.stands_since, l.account, l.customer, NULL, NULL, 1
FROM signup AS s
JOIN signup_lane AS l USING (signup_lane_id)
WHERE s.state IN ('refused', 'blocked', 'held', 'conflict') AND NOT is_closed('su-' || s.signup_id);

-- A restore ----------------------------------------------------------------------------------------------------------

-- As before, and the same for signups: an attempt's id, and the fence of who slept through the restore, mean nothing any
-- more. What was called for in the time that was forgotten needs no doubt: a list knows the identifier before a creation.
CREATE OR REPLACE FUNCTION begin_epoch(why text, of_witness bigint, of_key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    since timestamptz := coalesce(newest_remembered(), ledger_now() - interval '35 days');  -- Stripe takes none older
    known bigint := (SELECT max(attempt_id) FROM attempt);
    begun bigint;
BEGIN
    INSERT INTO epoch (server, cause, gap_from, witness_id, witness_key, forgotten_from, forgotten_until)
    VALUES (
        server_identity(), why, since, of_witness, of_key, coalesce(known, 0) + 1,
        skip_ids('attempt', 'attempt_id', of_witness)
    )
    RETURNING epoch_id INTO begun;
    PERFORM skip_ids('meter_event', 'meter_event_id', NULL), skip_ids('lane', 'lane_id', NULL),
        skip_ids('signup_attempt', 'signup_attempt_id', NULL), skip_ids('signup_lane', 'signup_lane_id', NULL);
    PERFORM FROM lane
    WHERE lane_id IN (SELECT lane_id FROM meter_event WHERE state IN ('sealed', 'unknown'))
    ORDER BY lane_id
    FOR UPDATE;
    -- Who slept through the restore with a lease holds none any more, and must not meet its own fence again.
    UPDATE lane
    SET fence = fence + 1000000
    WHERE lane_id IN (SELECT lane_id FROM meter_event WHERE state IN ('sealed', 'unknown'));
    UPDATE signup_lane SET fence = fence + 1000000 WHERE due_at IS NOT NULL OR lease_until IS NOT NULL;
    UPDATE generation AS g
    SET ambiguous_since = greatest(since, m.sealed_at, g.made_at)
    FROM meter_event AS m
    WHERE (m.meter_event_id, m.generation) = (g.meter_event_id, g.generation)
        AND m.state IN ('sealed', 'unknown') AND g.ambiguous_since IS NULL;
    UPDATE meter_event SET state = 'unknown' WHERE state = 'sealed';
    RETURN begun;
END $$;
