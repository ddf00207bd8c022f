-- What is wrong with money now, as facts with a life of their own: raised, acknowledged, cleared.

-- One thing that is wrong, from when it was raised until it was cleared. A question is asked again and again; its answer's
-- figures are renewed while the alarm is open, and stay as they were last when it is cleared.
CREATE TABLE alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,                  -- what of that kind: at most one is open at a time
    is_urgent boolean NOT NULL,             -- a person is wanted now, not in the morning
    customer text,
    meter text,
    item text,                              -- with price and stretch_start: the stretch that bills the units, or would
    price text,                             -- have; null: none does
    stretch_start timestamptz,
    rows bigint NOT NULL,
    units numeric NOT NULL,
    amount numeric,                         -- in the currency's minor unit, exact; null: no price is known
    amount_rounded bigint,                  -- by how much an invoice differs, whose lines are rounded
    currency text,
    rated_by text,                          -- the price that was asked, or the rate card
    rated_at timestamptz,                   -- null: not looked at with these figures
    invoice text,
    since timestamptz,                      -- the usage's first and last time
    until timestamptz,
    deadline timestamptz,                   -- after it nothing can be mended any more at Stripe
    said text NOT NULL,                     -- a sentence for a person
    raised_at timestamptz NOT NULL DEFAULT ledger_now(),
    renewed_at timestamptz NOT NULL DEFAULT ledger_now(),
    acknowledged_at timestamptz,
    acknowledged_by text,
    cleared_at timestamptz,
    CONSTRAINT money_is_whole CHECK (
        (amount IS NULL) = (currency IS NULL) AND (amount IS NULL) = (amount_rounded IS NULL)
        AND (amount IS NULL) = (rated_by IS NULL)
    ),
    CONSTRAINT acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alarm_open ON alarm (account, kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarm_by_time ON alarm (account, raised_at);
CREATE TRIGGER alarm_is_immutable BEFORE UPDATE OF alarm_id, account, kind, subject, raised_at ON alarm
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was raised stays raised');
CREATE TRIGGER alarm_is_acknowledged_once BEFORE UPDATE OF acknowledged_at, acknowledged_by ON alarm
    FOR EACH ROW WHEN (OLD.acknowledged_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('who saw it first stays on the books');
CREATE TRIGGER alarm_clears_once BEFORE UPDATE ON alarm
    FOR EACH ROW WHEN (OLD.cleared_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a cleared alarm never changes; another one is raised');
CREATE TRIGGER alarm_stays BEFORE DELETE ON alarm
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was wrong stays on the books');

-- One kind of alarm's question: when it was asked last, and what became of that. Its row is locked while it is asked, so
-- that two who watch neither raise twice nor clear by an answer that is older than the other's.
CREATE TABLE alarm_question (
    account text NOT NULL,
    kind text NOT NULL,
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,                -- null: it has never been answered
    subjects bigint NOT NULL DEFAULT 0,     -- that the last answer named
    left_out bigint NOT NULL DEFAULT 0,     -- of these, without an alarm: too many are open
    failures integer NOT NULL DEFAULT 0,    -- in a row; the alarms stay as they are meanwhile
    reason text,                            -- of the last failure
    PRIMARY KEY (account, kind),
    CONSTRAINT a_failure_has_a_reason CHECK ((failures > 0) = (reason IS NOT NULL))
);

-- What a person decided to live with: these figures of this subject, and no others. Where they change, it is an alarm again.
CREATE TABLE alarm_waiver (
    alarm_id bigint NOT NULL REFERENCES alarm,
    rows bigint NOT NULL,
    units numeric NOT NULL,
    account text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    waived_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (alarm_id, rows, units)
);
CREATE INDEX alarm_waiver_of ON alarm_waiver (account, kind, subject);
CREATE TRIGGER alarm_waiver_is_a_fact BEFORE UPDATE OR DELETE ON alarm_waiver
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what a person decided stays on the books');

-- What a person may do, alarms and corrections included.
ALTER TABLE operator_action
    DROP CONSTRAINT operator_action_verb_check,
    ADD CONSTRAINT operator_action_verb_check CHECK (verb IN (
        'retry', 'discard', 'pause', 'resume', 'confirm', 'replay', 'acknowledge', 'carry', 'waive', 'correct', 'open',
        'close', 'revert'
    ));
