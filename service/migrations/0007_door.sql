-- The door: which secret verified an event and when it came, and what strangers sent.

-- A delivery is what came through the door; what was found in Stripe's list has none.
ALTER TABLE event
    ADD COLUMN delivered_at timestamptz,        -- the first time
    ADD COLUMN last_delivered_at timestamptz,   -- the newest
    ADD COLUMN verified_by text,                -- the fingerprint of the secret that signed the first
    ADD COLUMN last_verified_by text;           -- and the newest; null: before this column was
UPDATE event SET delivered_at = received_at WHERE deliveries > 0;
CREATE TRIGGER event_is_first_delivered_once
    BEFORE UPDATE OF delivered_at, verified_by ON event
    FOR EACH ROW WHEN (
        OLD.delivered_at IS NOT NULL
        AND (OLD.delivered_at, OLD.verified_by) IS DISTINCT FROM (NEW.delivered_at, NEW.verified_by)
    ) EXECUTE FUNCTION refuse_change('what was delivered first never changes');

-- How many requests the door refused, by the hour in which they were written down: some seconds after they came, or later
-- where the ledger was away. The door keeps the last weeks.
CREATE TABLE stranger (
    account text NOT NULL,
    hour timestamptz NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL CHECK (requests > 0),
    PRIMARY KEY (account, hour, reason)
);

-- The first ones of an hour and reason, of all doors together: the number is part of the key, so that there are never more.
-- Whatever a stranger wrote is text in which nothing moves a cursor.
CREATE TABLE stranger_sample (
    account text NOT NULL,
    hour timestamptz NOT NULL,
    reason text NOT NULL,
    n smallint NOT NULL CHECK (n BETWEEN 1 AND 5),
    received_at timestamptz NOT NULL,
    remote_address text NOT NULL,               -- of the proxy, where one stands in front
    content_length bigint,                      -- as it was told; null: it was not
    signature text NOT NULL,                    -- the first characters of the header
    body text NOT NULL,                         -- the first bytes
    PRIMARY KEY (account, hour, reason, n)
);
