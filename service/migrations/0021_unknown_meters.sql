-- A meter that rows name and the ledger does not know: a bell, rung with the first row of a lane. Stripe's list of meters is
-- read for it at once, and not only when a bucket is due: a meter that was made just now, and of which no event told, would
-- be said to be missing until then. It is rung anew, at leisure, for as long as Stripe does not have it.
CREATE TABLE unknown_meter (
    account text NOT NULL,
    meter text NOT NULL,
    due_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, meter)
);
INSERT INTO unknown_meter (account, meter)
SELECT DISTINCT account, meter FROM lane
EXCEPT
SELECT account, meter FROM meter;
