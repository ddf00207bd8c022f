-- The ledger. Facts are appended: what a row said, what a meter event carries, what Stripe answered. Only states, due
-- times and closing stamps ever change, and triggers below refuse the rest. Foreign keys are left out on `entry` alone:
-- its parents are written by the same statement, and two checks a row would double the cost of recording.

-- Time ---------------------------------------------------------------------------------------------------------------

-- Tests move this clock to live through days in seconds; nothing else writes the table.
CREATE TABLE ledger_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ahead_by interval NOT NULL DEFAULT '0'
);
INSERT INTO ledger_clock DEFAULT VALUES;

CREATE FUNCTION ledger_now() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN statement_timestamp() + (SELECT ahead_by FROM ledger_clock);

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Accounts and meters ------------------------------------------------------------------------------------------------

-- The Stripe account and mode of our key, pinned at the first start: another key's refuses to start.
CREATE TABLE account (
    account text PRIMARY KEY,
    stripe_account text NOT NULL,
    is_live boolean NOT NULL,
    pinned_at timestamptz NOT NULL DEFAULT ledger_now(),
    paused_until timestamptz,               -- the breaker: no call before this time
    pause_reason text
);
CREATE TRIGGER account_is_pinned BEFORE UPDATE OF account, stripe_account, is_live, pinned_at ON account
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a ledger belongs to one Stripe account and mode; start a new ledger');

-- Stripe's meters as last read: how rows become meter events, and under which payload keys.
CREATE TABLE meter (
    account text NOT NULL,
    meter text NOT NULL,                    -- Stripe's event_name
    stripe_id text NOT NULL,
    formula text NOT NULL CHECK (formula IN ('sum', 'count', 'last')),
    customer_key text NOT NULL,
    value_key text NOT NULL,
    event_time_window text,                 -- such a meter overwrites instead of adding: not sealed
    is_active boolean NOT NULL,
    read_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, meter)
);

-- Lanes --------------------------------------------------------------------------------------------------------------

-- One account's (customer, meter). Leased as a whole, so that Stripe never sees two calls on it at once.
CREATE TABLE lane (
    lane_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    customer text NOT NULL,
    meter text NOT NULL,
    shard smallint NOT NULL GENERATED ALWAYS AS (lane_id % 16) STORED,
    fence bigint NOT NULL DEFAULT 0,        -- grows with every lease; an older holder's refusals no longer count
    lease_until timestamptz,
    due_at timestamptz,                     -- when submit next wants this lane; null: nothing to send
    confirm_at timestamptz,                 -- when reconcile next wants it; null: nothing to confirm
    UNIQUE (account, customer, meter)
);
CREATE INDEX lane_due ON lane (account, shard, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX lane_confirm ON lane (confirm_at) WHERE confirm_at IS NOT NULL;

-- Every known billing-period boundary of a customer's subscriptions on a meter. Buckets break at them.
CREATE TABLE period_edge (
    account text NOT NULL,
    customer text NOT NULL,
    meter text NOT NULL,
    edge_at timestamptz NOT NULL,
    learnt_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, customer, meter, edge_at)
);

-- Rows ---------------------------------------------------------------------------------------------------------------

-- One committed transaction of record, and what became of the rows it carried: the books balance over this table.
CREATE TABLE intake (
    intake_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL DEFAULT ledger_now(),
    messages integer NOT NULL,
    rows integer NOT NULL,
    recorded integer NOT NULL,
    duplicates integer NOT NULL,
    conflicts integer NOT NULL,
    quarantined integer NOT NULL,
    CONSTRAINT intake_balances CHECK (rows = recorded + duplicates + conflicts + quarantined)
);

CREATE SEQUENCE entry_id AS bigint;

-- The dedupe key, apart from the entries so that it can outlive them.
CREATE TABLE row_key (
    account text NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    content_hash bytea NOT NULL,
    entry_id bigint NOT NULL DEFAULT nextval('entry_id'),
    PRIMARY KEY (account, source, row_id)
);
CREATE INDEX row_key_by_row_id ON row_key (row_id);

-- A usage row that the ledger has accepted.
CREATE TABLE entry (
    entry_id bigint PRIMARY KEY,
    lane_id bigint NOT NULL,
    intake_id bigint NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    value numeric NOT NULL,
    occurred_at timestamptz NOT NULL,
    bucket timestamptz NOT NULL,
    meter_event_id bigint                   -- null: not sealed yet
);
CREATE INDEX entry_unsealed ON entry (lane_id, bucket) WHERE meter_event_id IS NULL;
CREATE INDEX entry_member ON entry (meter_event_id) WHERE meter_event_id IS NOT NULL;
CREATE TRIGGER entry_is_immutable
    BEFORE UPDATE OF entry_id, lane_id, intake_id, source, row_id, value, occurred_at, bucket ON entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an entry never changes; correct it with another row');
CREATE TRIGGER entry_stays_sealed BEFORE UPDATE OF meter_event_id ON entry
    FOR EACH ROW WHEN (OLD.meter_event_id IS NOT NULL)
    EXECUTE FUNCTION refuse_change('an entry belongs to one meter event for ever');

-- The doorbell from record to seal: which buckets of which lanes have entries without a meter event, and when to look.
-- Written with the entries, removed by seal once none is left; never updated, so neither waits for the other.
CREATE TABLE unsealed (
    lane_id bigint NOT NULL,
    bucket timestamptz NOT NULL,
    seal_at timestamptz NOT NULL
);
CREATE INDEX unsealed_due ON unsealed (seal_at, lane_id);
CREATE INDEX unsealed_bucket ON unsealed (lane_id, bucket);

-- Told twice with different content: the first counts, the others are kept here, none is overwritten.
CREATE TABLE row_conflict (
    conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    intake_id bigint NOT NULL REFERENCES intake,
    account text NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    content_hash bytea NOT NULL,
    customer text NOT NULL,
    meter text NOT NULL,
    value numeric NOT NULL,
    occurred_at timestamptz NOT NULL,
    UNIQUE (account, source, row_id, content_hash)
);

-- What could not be read as a row, byte for byte, with the reason.
CREATE TABLE quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    intake_id bigint NOT NULL REFERENCES intake,
    raw bytea NOT NULL,
    row_id text,
    field text,
    reason text NOT NULL
);
CREATE UNIQUE INDEX quarantine_once ON quarantine (sha256(raw));

-- Meter events -------------------------------------------------------------------------------------------------------

CREATE TABLE meter_event (
    meter_event_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    lane_id bigint NOT NULL REFERENCES lane,
    bucket timestamptz NOT NULL,
    stamped_at timestamptz NOT NULL,        -- the timestamp that Stripe is told; whole seconds
    minute timestamptz,                     -- the minute that this one alone owns in its lane; null: shared or not a sum
    value numeric NOT NULL,
    entries integer NOT NULL CHECK (entries > 0),
    payload jsonb NOT NULL,
    is_unbilled boolean NOT NULL,           -- no subscription on this meter was known when it was sealed
    generation smallint NOT NULL DEFAULT 1,
    state text NOT NULL CHECK (state IN
        ('sealed', 'unknown', 'accepted', 'confirmed', 'refused', 'held', 'conflict')),
    reason text,
    due_at timestamptz,                     -- sealed and unknown: when to call next
    sealed_at timestamptz NOT NULL DEFAULT ledger_now(),
    accepted_at timestamptz,
    confirmed_at timestamptz,
    CONSTRAINT stamped_in_whole_seconds CHECK (stamped_at = date_trunc('second', stamped_at)),
    CONSTRAINT due_while_it_can_be_sent CHECK ((due_at IS NOT NULL) = (state IN ('sealed', 'unknown'))),
    CONSTRAINT refused_and_held_have_a_reason
        CHECK (reason IS NOT NULL OR state NOT IN ('refused', 'held', 'conflict')),
    CONSTRAINT a_minute_has_one_owner UNIQUE (lane_id, minute)
);
CREATE INDEX meter_event_to_send ON meter_event (lane_id, meter_event_id) WHERE state IN ('sealed', 'unknown');
CREATE INDEX meter_event_by_hour ON meter_event (lane_id, stamped_at);
CREATE INDEX meter_event_by_state ON meter_event (state) WHERE state <> 'confirmed';
CREATE INDEX meter_event_to_confirm ON meter_event (lane_id) WHERE state = 'accepted';
CREATE TRIGGER meter_event_is_immutable
    BEFORE UPDATE OF meter_event_id, lane_id, bucket, stamped_at, minute, value, entries, payload, sealed_at ON meter_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what a sealed meter event says never changes');
CREATE TRIGGER meter_event_moves_forward BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('sealed', 'accepted'), ('sealed', 'unknown'), ('sealed', 'refused'), ('sealed', 'held'),
        ('unknown', 'accepted'), ('unknown', 'held'),
        ('held', 'accepted'), ('held', 'sealed'), ('held', 'conflict'),
        ('accepted', 'confirmed'), ('accepted', 'held'), ('accepted', 'refused'), ('accepted', 'conflict'),
        ('confirmed', 'refused'), ('confirmed', 'conflict')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');
CREATE TRIGGER meter_event_stays BEFORE DELETE ON meter_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was reported stays on the books');

-- A meter event under one identifier. The identifier is stored before the first call, and a new generation is made only
-- after proof that Stripe did not count the old one.
CREATE TABLE generation (
    meter_event_id bigint NOT NULL REFERENCES meter_event,
    generation smallint NOT NULL,
    identifier text NOT NULL UNIQUE CHECK (length(identifier) <= 100),
    ambiguous_since timestamptz,            -- start of the first attempt that Stripe may have applied
    PRIMARY KEY (meter_event_id, generation)
);
CREATE TRIGGER generation_is_immutable BEFORE UPDATE OF meter_event_id, generation, identifier ON generation
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an identifier is for ever');
CREATE TRIGGER ambiguity_is_not_forgotten BEFORE UPDATE OF ambiguous_since ON generation
    FOR EACH ROW WHEN (OLD.ambiguous_since IS NOT NULL AND NEW.ambiguous_since IS DISTINCT FROM OLD.ambiguous_since)
    EXECUTE FUNCTION refuse_change('the first doubt decides when the window closes');

-- One call to Stripe, committed before the call is made and closed after it.
CREATE TABLE attempt (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id bigint NOT NULL REFERENCES lane,
    meter_event_id bigint NOT NULL,
    generation smallint NOT NULL,
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
-- The backstop of the lease: a lane cannot have two open attempts, whatever the workers believe.
CREATE UNIQUE INDEX one_open_attempt_a_lane ON attempt (lane_id) WHERE ended_at IS NULL;
CREATE INDEX attempt_by_meter_event ON attempt (meter_event_id, generation, attempt_id);
CREATE TRIGGER attempt_is_immutable
    BEFORE UPDATE OF attempt_id, lane_id, meter_event_id, generation, idempotency_key, fence, started_at ON attempt
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an attempt is what was asked, for ever');
-- `lost` is what the next holder assumed; the answer itself may still come and replace the assumption.
CREATE TRIGGER attempt_ends_once BEFORE UPDATE OF ended_at, outcome, status, code, request_id, is_replayed ON attempt
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND OLD.code IS DISTINCT FROM 'lost')
    EXECUTE FUNCTION refuse_change('an answer is given once');
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was asked stays on the books');

-- Stripe's word back -------------------------------------------------------------------------------------------------

-- What Stripe told us by webhook. The body is the bytes whose signature was verified.
CREATE TABLE event (
    account text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    api_version text,
    is_live boolean NOT NULL,
    created_at timestamptz NOT NULL,
    object_id text,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT ledger_now(),
    deliveries integer NOT NULL DEFAULT 1,
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'applied', 'ignored', 'failed')),
    due_at timestamptz DEFAULT ledger_now(),
    failures integer NOT NULL DEFAULT 0,
    reason text,
    applied_at timestamptz,
    PRIMARY KEY (account, event_id),
    CONSTRAINT due_while_received CHECK ((due_at IS NOT NULL) = (state = 'received'))
);
CREATE INDEX event_to_apply ON event (account, due_at) WHERE state = 'received';
CREATE TRIGGER event_is_immutable
    BEFORE UPDATE OF account, event_id, type, api_version, is_live, created_at, object_id, body, received_at ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe said never changes');

-- What an event changed here, at most once.
CREATE TABLE effect (
    account text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, event_id, kind),
    FOREIGN KEY (account, event_id) REFERENCES event
);

-- When a customer's subscriptions were last read from Stripe, for customers of whom no event has told us.
CREATE TABLE customer (
    account text NOT NULL,
    customer text NOT NULL,
    subscriptions_read_at timestamptz NOT NULL,
    PRIMARY KEY (account, customer)
);

-- Mirrors: Stripe's objects as of the newest word about them. `as_of` is Stripe's time, not ours.
CREATE TABLE subscription (
    account text NOT NULL,
    subscription text NOT NULL,
    customer text NOT NULL,
    status text NOT NULL,
    as_of timestamptz NOT NULL,
    object jsonb NOT NULL,
    PRIMARY KEY (account, subscription)
);
CREATE INDEX subscription_by_customer ON subscription (account, customer);

CREATE TABLE subscription_item (
    account text NOT NULL,
    item text NOT NULL,
    subscription text NOT NULL,
    customer text NOT NULL,
    price text NOT NULL,
    meter_stripe_id text,                   -- null: a licensed price
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    PRIMARY KEY (account, item),
    FOREIGN KEY (account, subscription) REFERENCES subscription
);
CREATE INDEX subscription_item_by_customer ON subscription_item (account, customer);

CREATE TABLE invoice (
    account text NOT NULL,
    invoice text NOT NULL,
    customer text,
    subscription text,
    status text,                            -- null: deleted
    billing_reason text,
    period_start timestamptz,
    period_end timestamptz,
    total bigint,                           -- in the currency's minor unit
    currency text,
    automatically_finalizes_at timestamptz,
    as_of timestamptz NOT NULL,
    object jsonb NOT NULL,
    PRIMARY KEY (account, invoice)
);
CREATE INDEX invoice_by_customer ON invoice (account, customer);
