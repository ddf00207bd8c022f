-- Error reports: what Stripe took with a 200 and refuses all the same. A report names samples; the others of its window are
-- suspects, of which Stripe's books must tell.

-- What Stripe told of a thin event when it was asked. Of several answers the newest holds.
CREATE TABLE fetched_event (
    fetched_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    event_id text NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT ledger_now(),
    body jsonb NOT NULL,
    FOREIGN KEY (account, event_id) REFERENCES event
);
CREATE INDEX fetched_event_of ON fetched_event (account, event_id, fetched_event_id);
CREATE TRIGGER fetched_event_is_a_fact BEFORE UPDATE OR DELETE ON fetched_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe told never changes');

CREATE TABLE error_report (
    account text NOT NULL,
    event_id text NOT NULL,
    meter_stripe_id text,                   -- null: of event names that Stripe has no meter for
    validation_start timestamptz NOT NULL,
    validation_end timestamptz NOT NULL,
    error_count bigint NOT NULL,            -- may exceed the samples
    codes text NOT NULL,
    summary text,                           -- Stripe's own sentence
    applied_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, event_id),
    FOREIGN KEY (account, event_id) REFERENCES event
);
CREATE TRIGGER error_report_is_a_fact BEFORE UPDATE OR DELETE ON error_report
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe reported never changes');

-- One error that a report names. Joined to what it names as it is written down: identifiers and keys are on the books
-- before their call, so that what joins nothing then is nobody's here, an orphan.
CREATE TABLE error_sample (
    account text NOT NULL,
    event_id text NOT NULL,
    number integer NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    told text,                              -- an identifier or an idempotency key; null: it names nothing
    meter_event_id bigint,                  -- null: an orphan
    generation smallint,
    PRIMARY KEY (account, event_id, number),
    FOREIGN KEY (account, event_id) REFERENCES error_report,
    FOREIGN KEY (meter_event_id, generation) REFERENCES generation
);
CREATE INDEX error_sample_of ON error_sample (meter_event_id, generation) WHERE meter_event_id IS NOT NULL;
CREATE INDEX error_sample_orphan ON error_sample (account, event_id) WHERE meter_event_id IS NULL;
CREATE TRIGGER error_sample_is_a_fact BEFORE UPDATE OR DELETE ON error_sample
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe reported never changes');

-- What was called for in the window of a report that counts more errors than it names. It stays one under this identifier.
CREATE TABLE suspect (
    meter_event_id bigint NOT NULL,
    generation smallint NOT NULL,
    account text NOT NULL,
    event_id text NOT NULL,
    PRIMARY KEY (meter_event_id, generation, account, event_id),
    FOREIGN KEY (meter_event_id, generation) REFERENCES generation,
    FOREIGN KEY (account, event_id) REFERENCES error_report
);
CREATE INDEX suspect_of_report ON suspect (account, event_id);
CREATE TRIGGER suspect_is_a_fact BEFORE UPDATE OR DELETE ON suspect
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was asked about stays on the books');

-- Attempts of a window, found without an index entry for each: they are written in the order of their time.
CREATE INDEX attempt_by_time ON attempt USING brin (started_at) WITH (pages_per_range = 16, autosummarize = on);

-- Stripe's words about what a report names; null: none does.
CREATE FUNCTION rejection(of_meter_event bigint, of_generation smallint) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT format('%s (%s)', s.message, s.code)
    FROM error_sample AS s
    WHERE (s.meter_event_id, s.generation) = (of_meter_event, of_generation)
    ORDER BY s.event_id, s.number
    LIMIT 1
);

-- The report in whose window it was called for without being named; null: none.
CREATE FUNCTION suspicion(of_meter_event bigint, of_generation smallint) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT format(
        'Stripe reported %s errors (%s) in the window %s to %s UTC, in which it was called for', r.error_count, r.codes,
        to_char(r.validation_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
        to_char(r.validation_end AT TIME ZONE 'UTC', 'HH24:MI:SS')
    )
    FROM suspect AS s
    JOIN error_report AS r USING (account, event_id)
    WHERE (s.meter_event_id, s.generation) = (of_meter_event, of_generation)
    ORDER BY s.event_id
    LIMIT 1
);

-- Whether a report tells less of it than it seems: it names one copy, and where several calls may each have been taken,
-- another may count, should Stripe free the identifier of what it rejects. A replayed answer, and one that says that the
-- identifier exists already, are of calls that brought in nothing.
CREATE FUNCTION is_called_several_times(of_meter_event bigint, of_generation smallint) RETURNS boolean
LANGUAGE sql STABLE
RETURN (
    SELECT count(*) > 1
    FROM attempt AS a
    WHERE (a.meter_event_id, a.generation) = (of_meter_event, of_generation)
        AND NOT a.is_replayed
        AND (a.outcome IS NULL OR a.outcome = 'unknown' OR (a.outcome = 'accepted' AND a.status = 200))
);

-- A new step: unknown → refused. What became of the call was not known, and now Stripe itself says it: it took the call and
-- refused what it carried. All other steps are as before.
CREATE OR REPLACE TRIGGER meter_event_moves_forward BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('sealed', 'accepted'), ('sealed', 'unknown'), ('sealed', 'refused'), ('sealed', 'held'), ('sealed', 'conflict'),
        ('unknown', 'accepted'), ('unknown', 'refused'), ('unknown', 'held'), ('unknown', 'conflict'),
        ('held', 'accepted'), ('held', 'sealed'), ('held', 'refused'), ('held', 'conflict'),
        ('refused', 'sealed'), ('refused', 'conflict'),
        ('accepted', 'confirmed'), ('accepted', 'held'), ('accepted', 'refused'), ('accepted', 'conflict'),
        ('confirmed', 'refused'), ('confirmed', 'conflict'),
        ('conflict', 'confirmed')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');

-- As before, and what Stripe reported of its present identifier.
CREATE OR REPLACE VIEW meter_event_now AS
SELECT
    m.meter_event_id, m.lane_id, l.account, l.meter, m.state, m.generation, g.identifier, g.ambiguous_since, m.payload,
    m.stamped_at, ledger_now() AS now,
    EXISTS (
        SELECT FROM meter_event AS other
        WHERE other.lane_id = m.lane_id AND other.state IN ('sealed', 'unknown') AND other.due_at <= ledger_now()
            AND other.meter_event_id <> m.meter_event_id
    ) AS is_followed,
    EXISTS (
        SELECT FROM attempt AS a WHERE (a.meter_event_id, a.generation) = (m.meter_event_id, m.generation)
    ) AS is_tried,
    r.rejection,
    r.rejection IS NOT NULL AND is_called_several_times(m.meter_event_id, m.generation) AS is_rejection_of_one_copy
FROM meter_event AS m
JOIN generation AS g USING (meter_event_id, generation)
JOIN lane AS l USING (lane_id)
CROSS JOIN LATERAL (SELECT rejection(m.meter_event_id, m.generation) AS rejection) AS r;
