-- The restore guard: a ledger that was put back to an earlier time has forgotten calls that Stripe remembers.

-- Which server this is: its system identifier and timeline. Another one is a restored dump, a point in time, a promoted
-- replica. Null where a role may not ask: then the witness alone tells.
CREATE FUNCTION server_identity() RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system())::text
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION
    WHEN insufficient_privilege OR undefined_function OR object_not_in_prerequisite_state OR feature_not_supported THEN
        RETURN NULL;
END $$;

-- One unbroken life of the ledger. The first begins with the first look; each later one with a restore that was noticed,
-- and until a person has confirmed it nothing is sealed and nothing is sent.
CREATE TABLE epoch (
    epoch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL DEFAULT ledger_now(),
    server text,                            -- null: this role may not ask
    cause text NOT NULL,
    gap_from timestamptz,                   -- no forgotten call is older; null: nothing was forgotten
    witness_id bigint,                      -- the newest attempt outside of the ledger, which did not know it
    witness_key text,
    forgotten_from bigint,                  -- ids of attempts that are never used (again): they may have been called for
    forgotten_until bigint,
    compared_at timestamptz,                -- when Stripe's books were last compared with ours as a whole
    confirmed_at timestamptz,
    CONSTRAINT compared_before_it_is_confirmed CHECK (confirmed_at IS NULL OR gap_from IS NULL OR compared_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_epoch ON epoch ((true)) WHERE confirmed_at IS NULL;
CREATE TRIGGER epoch_is_a_fact
    BEFORE UPDATE OF
        epoch_id, began_at, server, cause, gap_from, witness_id, witness_key, forgotten_from, forgotten_until
    ON epoch
    FOR EACH ROW EXECUTE FUNCTION refuse_change('that the ledger was restored stays on the books');
CREATE TRIGGER epoch_is_confirmed_once BEFORE UPDATE ON epoch
    FOR EACH ROW WHEN (OLD.confirmed_at IS NOT NULL AND NEW.confirmed_at IS DISTINCT FROM OLD.confirmed_at)
    EXECUTE FUNCTION refuse_change('an epoch is confirmed once');
CREATE TRIGGER epoch_stays BEFORE DELETE ON epoch
    FOR EACH ROW EXECUTE FUNCTION refuse_change('that the ledger was restored stays on the books');

-- Called under a lock of the table. Ids that a forgotten life may have given out are not given out again: a process that
-- slept through the restore must not close another's attempt, or accept another's meter event.
CREATE FUNCTION skip_ids(of_table text, of_column text, used bigint) RETURNS bigint
LANGUAGE sql VOLATILE
RETURN setval(
    pg_get_serial_sequence(of_table, of_column),
    greatest(nextval(pg_get_serial_sequence(of_table, of_column)), coalesce(used, 0)) + 1000000
);

-- The newest instant of which the ledger knew when it was put back: a forgotten call was made after it. Facts younger
-- than the server's start may have come after the restore, so of these only attempts count: no sender makes one before
-- it has looked. Two minutes earlier, because transactions commit in another order than they begin.
CREATE FUNCTION newest_remembered() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (
    WITH started AS (SELECT pg_postmaster_start_time() + ahead_by AS at FROM ledger_clock)
    SELECT greatest(
        (SELECT started_at FROM attempt ORDER BY attempt_id DESC LIMIT 1),
        (SELECT recorded_at FROM intake WHERE recorded_at < started.at ORDER BY intake_id DESC LIMIT 1),
        (SELECT sealed_at FROM meter_event WHERE sealed_at < started.at ORDER BY meter_event_id DESC LIMIT 1)
    ) - interval '2 minutes'
    FROM started
);

-- What is sealed may have been called for under the same identifier in the time that was forgotten, from its sealing or
-- from the start of the gap on. It is in doubt since then, and the rules for what is in doubt do the rest.
CREATE FUNCTION begin_epoch(why text, of_witness bigint, of_key text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    since timestamptz := coalesce(newest_remembered(), ledger_now() - interval '35 days');  -- Stripe takes none older
    known bigint := (SELECT max(attempt_id) FROM attempt);
    begun bigint;
BEGIN
    INSERT INTO epoch (server, cause, gap_from, witness_id, witness_key, forgotten_from, forgotten_until)
    VALUES (
        server_identity(), why, since, of_witness, of_key, coalesce(known, 0) + 1,
        skip_ids('attempt', 'attempt_id', of_witness)
    )
    RETURNING epoch_id INTO begun;
    PERFORM skip_ids('meter_event', 'meter_event_id', NULL), skip_ids('lane', 'lane_id', NULL);
    PERFORM FROM lane
    WHERE lane_id IN (SELECT lane_id FROM meter_event WHERE state IN ('sealed', 'unknown'))
    ORDER BY lane_id
    FOR UPDATE;
    -- Who slept through the restore with a lease holds none any more, and must not meet its own fence again.
    UPDATE lane
    SET fence = fence + 1000000
    WHERE lane_id IN (SELECT lane_id FROM meter_event WHERE state IN ('sealed', 'unknown'));
    UPDATE generation AS g
    SET ambiguous_since = greatest(since, m.sealed_at, g.made_at)
    FROM meter_event AS m
    WHERE (m.meter_event_id, m.generation) = (g.meter_event_id, g.generation)
        AND m.state IN ('sealed', 'unknown') AND g.ambiguous_since IS NULL;
    UPDATE meter_event SET state = 'unknown' WHERE state = 'sealed';
    RETURN begun;
END $$;

-- What Stripe counts in a minute of a lane and the restored ledger does not know. It becomes a meter event that is not
-- sent once producers have sent its rows again; until then its hour is not sealed.
CREATE TABLE external (
    external_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch_id bigint NOT NULL REFERENCES epoch,
    lane_id bigint NOT NULL REFERENCES lane,
    meter_stripe_id text NOT NULL,
    minute timestamptz NOT NULL,
    value numeric NOT NULL CHECK (value <> 0),  -- beyond what is known of the minute; of a `count` meter, how many
    found_at timestamptz NOT NULL DEFAULT ledger_now(),
    meter_event_id bigint REFERENCES meter_event  -- null: its rows have not come again
);
CREATE INDEX external_by_minute ON external (lane_id, minute);
CREATE TRIGGER external_is_a_fact
    BEFORE UPDATE OF external_id, epoch_id, lane_id, meter_stripe_id, minute, value, found_at ON external
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe counted never changes');
CREATE TRIGGER external_is_closed_once BEFORE UPDATE OF meter_event_id ON external
    FOR EACH ROW WHEN (OLD.meter_event_id IS NOT NULL)
    EXECUTE FUNCTION refuse_change('its rows were found');
CREATE TRIGGER external_stays BEFORE DELETE ON external
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe counted stays on the books');

-- Its rows came again: Stripe counted it in a life of the ledger that was forgotten, and no call of this one's did.
ALTER TABLE meter_event ADD COLUMN is_external boolean NOT NULL DEFAULT false;

-- Those that still wait: neither found among the rows nor discarded by a person.
CREATE VIEW open_external AS
SELECT *
FROM external
WHERE meter_event_id IS NULL AND NOT is_closed('ex-' || external_id);

ALTER TABLE operator_action DROP CONSTRAINT operator_action_verb_check;
ALTER TABLE operator_action ADD CONSTRAINT operator_action_verb_check
    CHECK (verb IN ('retry', 'discard', 'pause', 'resume', 'confirm'));

CREATE OR REPLACE VIEW dead_letter AS
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
WHERE e.state = 'failed' AND NOT is_closed('ev-' || e.event_id)
UNION ALL
SELECT
    'ex-' || x.external_id, 'external',
    format('Stripe counts it at %s, and the restored ledger has no rows for it (any more)', x.minute), x.found_at,
    l.account, l.customer, l.meter, x.value, 0
FROM open_external AS x
JOIN lane AS l USING (lane_id);
