-- The desk: what needs a person, what persons did about it, and what they paused. Every action is a fact that is never
-- changed, carries the hash of the one before, and is committed with what it did.

-- Actions ------------------------------------------------------------------------------------------------------------

CREATE TABLE operator_action (
    action_id bigint PRIMARY KEY,           -- without gaps: a missing one shows
    acted_at timestamptz NOT NULL DEFAULT ledger_now(),
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    verb text NOT NULL CHECK (verb IN ('retry', 'discard', 'pause', 'resume')),
    subject text NOT NULL,                  -- a dead letter's id, or the account or account/meter that was paused
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    state_before text NOT NULL,
    state_after text NOT NULL,
    previous bytea NOT NULL,                -- the hash of the action before; empty at the first
    hash bytea NOT NULL
);
CREATE INDEX operator_action_on ON operator_action (subject, action_id);
-- A letter leaves the desk by a person's hand at most once: discarded, or recorded as a row after all.
CREATE UNIQUE INDEX closed_once ON operator_action (subject) WHERE state_after IN ('discarded', 'recorded');

-- Over what the columns say and the hash before: nobody can change or take out an action without changing all after it.
CREATE FUNCTION action_hash(a operator_action) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(a.previous || convert_to(jsonb_build_array(
    a.action_id, extract(epoch FROM a.acted_at)::text, a.actor, a.verb, a.subject, a.reason, a.state_before, a.state_after
)::text, 'UTF8'));

-- The lock is held until the commit, so that of two actions at once the second is chained to the first.
CREATE FUNCTION chain_action() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    newest operator_action;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('operator_action', 0));
    SELECT * INTO newest FROM operator_action ORDER BY action_id DESC LIMIT 1;
    NEW.action_id := coalesce(newest.action_id, 0) + 1;
    NEW.previous := coalesce(newest.hash, '');
    NEW.hash := action_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER action_is_chained BEFORE INSERT ON operator_action
    FOR EACH ROW EXECUTE FUNCTION chain_action();
CREATE TRIGGER action_is_a_fact BEFORE UPDATE OR DELETE ON operator_action
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what a person did stays on the books');
CREATE TRIGGER actions_stay BEFORE TRUNCATE ON operator_action
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('what a person did stays on the books');

CREATE FUNCTION is_closed(letter text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM operator_action WHERE subject = letter AND state_after IN ('discarded', 'recorded')
);

-- Which rows a quarantined one became, and as what it was read: as it stood, or as a person corrected it.
CREATE TABLE replayed_row (
    quarantine_id bigint NOT NULL REFERENCES quarantine,
    account text NOT NULL,
    source text NOT NULL,
    row_id text NOT NULL,
    said bytea NOT NULL,
    action_id bigint NOT NULL REFERENCES operator_action,
    PRIMARY KEY (quarantine_id, account, source, row_id)
);
CREATE INDEX replayed_row_by_row_id ON replayed_row (row_id);
CREATE TRIGGER replayed_row_is_a_fact BEFORE UPDATE OR DELETE ON replayed_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change('where a row came from stays on the books');

-- Dead letters -------------------------------------------------------------------------------------------------------

ALTER TABLE meter_event ADD COLUMN stands_since timestamptz; -- refused, held and conflict: since when

CREATE FUNCTION note_standing() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.stands_since := ledger_now();
    RETURN NEW;
END $$;
CREATE TRIGGER meter_event_stands_since BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND NEW.state IN ('refused', 'held', 'conflict'))
    EXECUTE FUNCTION note_standing();

-- What a person discarded is never sent again, whoever asks.
CREATE FUNCTION refuse_if_discarded() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF is_closed('me-' || OLD.meter_event_id) THEN
        RAISE EXCEPTION 'me-% was discarded by a person and is not sent again', OLD.meter_event_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER discarded_is_not_sent BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state IN ('refused', 'held', 'conflict') AND NEW.state = 'sealed')
    EXECUTE FUNCTION refuse_if_discarded();

CREATE VIEW dead_letter AS
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
WHERE e.state = 'failed' AND NOT is_closed('ev-' || e.event_id);

-- One filter for the list, its totals and a drain; null: any.
CREATE FUNCTION dead_letters_like(
    of_class text, of_customer text, of_meter text, with_reason text, not_before timestamptz
) RETURNS SETOF dead_letter
LANGUAGE sql STABLE AS $$
    SELECT *
    FROM dead_letter
    WHERE (of_class IS NULL OR class = of_class)
        AND (of_customer IS NULL OR customer = of_customer)
        AND (of_meter IS NULL OR meter = of_meter)
        AND (with_reason IS NULL OR strpos(lower(reason), lower(with_reason)) > 0)
        AND (not_before IS NULL OR since >= not_before)
$$;
CREATE INDEX event_failed ON event (received_at) WHERE state = 'failed';

-- Pauses -------------------------------------------------------------------------------------------------------------

-- What a person has stopped, apart from the breaker: nothing of it is sent until a person says so. Rows are recorded and
-- sealed all the same. Taken out by resume; the actions tell what was.
CREATE TABLE pause (
    account text NOT NULL,
    meter text NOT NULL,                    -- '*': all of the account's
    paused_at timestamptz NOT NULL DEFAULT ledger_now(),
    actor text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (account, meter)
);
