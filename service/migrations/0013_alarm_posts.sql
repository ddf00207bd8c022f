-- What is posted of alarms, written in the transaction that raises, acknowledges or clears: it is posted at least once,
-- in the order of each alarm, or given up after days, and that is said.
CREATE TABLE alarm_post (
    post_id text PRIMARY KEY,               -- the same each time, for a receiver to tell what it has
    n bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    alarm_id bigint NOT NULL REFERENCES alarm,
    what text NOT NULL CHECK (what IN ('raised', 'escalated', 'acknowledged', 'cleared')),
    was_urgent boolean NOT NULL,            -- when it was written: an alarm that becomes urgent is posted once more
    body text NOT NULL,                     -- as it is signed and posted, each time the same bytes
    made_at timestamptz NOT NULL DEFAULT ledger_now(),
    due_at timestamptz DEFAULT ledger_now(),  -- null: taken, or given up
    calls integer NOT NULL DEFAULT 0,
    taken_at timestamptz,
    given_up_at timestamptz,
    status smallint,                        -- of the last answer; null: there was none
    reason text,                            -- why the last call was no success
    UNIQUE (alarm_id, what),
    CONSTRAINT due_until_it_ends CHECK ((due_at IS NULL) = (taken_at IS NOT NULL OR given_up_at IS NOT NULL))
);
CREATE INDEX alarm_post_due ON alarm_post (account, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alarm_post_open ON alarm_post (alarm_id, n) WHERE due_at IS NOT NULL;
CREATE INDEX alarm_post_given_up ON alarm_post (account, given_up_at) WHERE given_up_at IS NOT NULL;
CREATE TRIGGER alarm_post_is_immutable
    BEFORE UPDATE OF post_id, n, account, alarm_id, what, was_urgent, body, made_at ON alarm_post
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what is posted never changes');
CREATE TRIGGER alarm_post_ends_once BEFORE UPDATE OF due_at, taken_at, given_up_at ON alarm_post
    FOR EACH ROW WHEN (OLD.due_at IS NULL)
    EXECUTE FUNCTION refuse_change('what was taken or given up is not posted again');
CREATE TRIGGER alarm_post_stays BEFORE DELETE ON alarm_post
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was posted stays on the books');
