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
    rows bigint NOT NULL,
    units numeric NOT NULL,
    amount numeric,                         -- in the currency's minor unit, exact; null: no price is known
    currency text,
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
    CONSTRAINT money_has_a_currency CHECK ((amount IS NULL) = (currency IS NULL)),
    CONSTRAINT acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alarm_open ON alarm (account, kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX alarm_by_time ON alarm (account, raised_at);
CREATE TRIGGER alarm_is_immutable BEFORE UPDATE OF alarm_id, account, kind, subject, raised_at ON alarm
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was raised stays raised');
CREATE TRIGGER alarm_clears_once BEFORE UPDATE ON alarm
    FOR EACH ROW WHEN (OLD.cleared_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a cleared alarm never changes; another one is raised');
CREATE TRIGGER alarm_stays BEFORE DELETE ON alarm
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was wrong stays on the books');
