-- Catch-up: Stripe's own lists of events, read on from a cursor. Pushed and found are one event under one key: what was
-- found has no delivery, and where none comes that is an alarm.

ALTER TABLE event
    ADD COLUMN found_by text CHECK (found_by IN ('catch_up', 'command')), -- who read it in Stripe's list; null: pushed first
    ADD COLUMN missed_at timestamptz,       -- when no delivery was hoped for any more
    ADD CONSTRAINT found_or_pushed CHECK (deliveries > 0 OR found_by IS NOT NULL);
CREATE INDEX event_unpushed ON event (account, created_at) WHERE deliveries = 0;
CREATE INDEX event_by_receipt ON event (received_at, event_id);
CREATE INDEX event_by_object ON event (object_id, received_at);
CREATE TRIGGER event_is_found_once BEFORE UPDATE OF found_by ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('how an event came first never changes');

-- How far each of Stripe's two lists is read. What Stripe created before `read_to`, and lists, is recorded. Within the
-- span from there to `read_until`, the list of a chunk of types is read from its newest event down to `page`.
CREATE TABLE event_cursor (
    account text NOT NULL REFERENCES account,
    stream text NOT NULL CHECK (stream IN ('v1', 'v2')),
    read_to timestamptz NOT NULL,
    read_until timestamptz,                 -- null: no span is begun
    chunk smallint NOT NULL DEFAULT 0,
    page text,                              -- null: at the list's beginning
    due_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, stream),
    CONSTRAINT a_page_is_of_a_span CHECK (read_until IS NOT NULL OR (chunk = 0 AND page IS NULL))
);
CREATE TRIGGER event_cursor_moves_forward BEFORE UPDATE OF read_to ON event_cursor
    FOR EACH ROW WHEN (NEW.read_to < OLD.read_to)
    EXECUTE FUNCTION refuse_change('what was read stays read; a range is read again by meterpost events catch-up');

-- A span that was not read while Stripe kept its events: nobody can say any more what was in it.
CREATE TABLE event_gap (
    account text NOT NULL,
    stream text NOT NULL,
    gap_from timestamptz NOT NULL,
    gap_to timestamptz NOT NULL CHECK (gap_to > gap_from),
    noted_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, stream, gap_from)
);
CREATE TRIGGER event_gap_is_a_fact BEFORE UPDATE OR DELETE ON event_gap
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what could not be read stays on the books');

-- Why an event could not be applied, each time.
CREATE TABLE event_failure (
    account text NOT NULL,
    event_id text NOT NULL,
    n integer NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT ledger_now(),
    reason text NOT NULL,
    PRIMARY KEY (account, event_id, n),
    FOREIGN KEY (account, event_id) REFERENCES event
);
CREATE TRIGGER event_failure_is_a_fact BEFORE UPDATE OR DELETE ON event_failure
    FOR EACH ROW EXECUTE FUNCTION refuse_change('why it failed stays on the books');

-- A person may have any event applied again, whatever became of it.
ALTER TABLE operator_action
    DROP CONSTRAINT operator_action_verb_check,
    ADD CONSTRAINT operator_action_verb_check CHECK (verb IN ('retry', 'discard', 'pause', 'resume', 'confirm', 'replay'));
