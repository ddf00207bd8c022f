-- Drafts that are held open until their usage is confirmed, where METERPOST_HOLD_DRAFTS says so.

-- One draft that is held, from the decision until it is final. Each call to Stripe is wanted here before it is made,
-- and may be made twice: the same update, and a finalization that Stripe refuses the second time.
CREATE TABLE draft_hold (
    account text NOT NULL,
    invoice text NOT NULL,
    customer text NOT NULL,
    wanted_at timestamptz NOT NULL DEFAULT ledger_now(),
    not_before timestamptz NOT NULL,        -- when Stripe would have finalized it by itself
    deadline timestamptz NOT NULL,          -- finalized then, whatever is missing
    due_at timestamptz NOT NULL DEFAULT ledger_now(),   -- when to look at it next
    held_at timestamptz,                    -- when Stripe said that it does not advance by itself
    released_at timestamptz,                -- when its finalization was decided; asked of Stripe from then on
    missing_rows bigint,                    -- what was not confirmed then
    missing_units numeric,
    ended_at timestamptz,
    ending text CHECK (ending IN ('finalized', 'was final', 'gone')),
    said text,                              -- Stripe's words, where it refused
    PRIMARY KEY (account, invoice),
    CONSTRAINT ended_with_an_ending CHECK ((ended_at IS NULL) = (ending IS NULL)),
    CONSTRAINT released_with_what_is_missing CHECK ((released_at IS NULL) = (missing_rows IS NULL))
);
CREATE INDEX draft_hold_due ON draft_hold (account, due_at) WHERE ended_at IS NULL;
CREATE TRIGGER draft_hold_is_immutable BEFORE UPDATE OF account, invoice, customer, wanted_at, not_before, deadline
    ON draft_hold
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was to be held never changes');
CREATE TRIGGER draft_hold_ends_once BEFORE UPDATE ON draft_hold
    FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a hold ends once');
CREATE TRIGGER draft_hold_stays BEFORE DELETE ON draft_hold
    FOR EACH ROW EXECUTE FUNCTION refuse_change('that a draft was held stays on the books');
