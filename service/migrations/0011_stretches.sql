-- Which item of which subscription bills a lane's usage, from when until when, and on which invoice.

-- Time in which one metered item of a subscription bills at one price on one invoice: a billing period, cut where its
-- price changed, where it went or where its subscription ended. Learnt from every word about a subscription; one that was
-- once true stays, and only its end, its cut and its invoice are set later.
CREATE TABLE stretch (
    account text NOT NULL,
    item text NOT NULL,
    price text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,           -- its period's end, or where it was cut
    subscription text NOT NULL,
    customer text NOT NULL,
    meter_stripe_id text NOT NULL,
    is_trial boolean NOT NULL,
    cut text CHECK (cut IN ('changed', 'cancelled')),   -- null: it runs to its period's end
    invoice text,                           -- the one with its line, once that is final
    closed_at timestamptz,                  -- when that was finalized: what comes later is on no invoice
    learnt_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, item, price, starts_at),
    CONSTRAINT closed_by_an_invoice CHECK ((invoice IS NULL) = (closed_at IS NULL))
);
CREATE INDEX stretch_of_lane ON stretch (account, customer, meter_stripe_id, starts_at);
CREATE TRIGGER stretch_is_immutable
    BEFORE UPDATE OF account, item, price, starts_at, subscription, customer, meter_stripe_id, learnt_at ON stretch
    FOR EACH ROW EXECUTE FUNCTION refuse_change('who billed what, when, never changes');
CREATE TRIGGER stretch_closes_once BEFORE UPDATE OF invoice, closed_at ON stretch
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL AND (NEW.invoice, NEW.closed_at) IS DISTINCT FROM (OLD.invoice, OLD.closed_at))
    EXECUTE FUNCTION refuse_change('an invoice is final once');
CREATE TRIGGER stretch_stays BEFORE DELETE ON stretch
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was billed stays on the books');
