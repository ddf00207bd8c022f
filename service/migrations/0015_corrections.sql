-- Usage whose invoice is final without it, and what persons decide about what is billed: carried, waived, taken back.

-- Corrections --------------------------------------------------------------------------------------------------------

-- What a person's decision changed of what is billed. A correction that bills is an entry of the ledger's own, under a row
-- key made of what it corrects, so that asked for twice it is made once; its reason and its actor stand in the action.
CREATE TABLE correction (
    correction_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action_id bigint NOT NULL REFERENCES operator_action,
    kind text NOT NULL CHECK (kind IN (
        'carried',                          -- late usage, as an entry of the open period
        'waived',                           -- late usage that stays unbilled
        'corrected',                        -- an entry beside what it corrects, which adds its units
        'cancelled',                        -- to be taken back at Stripe as a whole; its surplus tells how far that is
        'reverted'                          -- an entry that takes back one of a backfill
    )),
    meter_event_id bigint REFERENCES meter_event,   -- what is corrected: a meter event as a whole, or one entry
    corrected_entry_id bigint REFERENCES entry,
    state_before text,                      -- the meter event's, when it was decided
    units numeric NOT NULL,                 -- what it adds to what is billed
    source text,                            -- the row that it made; null: none
    row_id text,
    entry_id bigint REFERENCES entry,
    CONSTRAINT corrects_one_thing CHECK (num_nonnulls(meter_event_id, corrected_entry_id) = 1),
    CONSTRAINT made_an_entry_or_none
        CHECK (num_nonnulls(source, row_id, entry_id) = CASE WHEN kind IN ('waived', 'cancelled') THEN 0 ELSE 3 END)
);
CREATE UNIQUE INDEX late_is_decided_once ON correction (meter_event_id) WHERE kind IN ('carried', 'waived');
CREATE UNIQUE INDEX correction_by_entry ON correction (entry_id) WHERE entry_id IS NOT NULL;
CREATE INDEX correction_of_meter_event ON correction (meter_event_id) WHERE meter_event_id IS NOT NULL;
CREATE INDEX correction_of_entry ON correction (corrected_entry_id) WHERE corrected_entry_id IS NOT NULL;
CREATE INDEX correction_by_action ON correction (action_id);
CREATE TRIGGER correction_is_a_fact BEFORE UPDATE OR DELETE ON correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was decided stays on the books; correct it with another one');

-- What an entry says together with everything that corrects it, and what corrects that.
CREATE FUNCTION units_of_entry(of_entry bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE said AS (
        SELECT e.entry_id, e.value FROM entry AS e WHERE e.entry_id = of_entry
        UNION ALL
        SELECT e.entry_id, e.value
        FROM said AS s
        JOIN correction AS c ON c.corrected_entry_id = s.entry_id
        JOIN entry AS e ON e.entry_id = c.entry_id
    )
    SELECT sum(value) FROM said
$$;

-- The same of a meter event: what its entries say with their corrections, and what corrects it as a whole. What was carried
-- of it is billed elsewhere, and a cancelled one says nothing by itself.
CREATE FUNCTION units_of_meter_event(of_meter_event bigint) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT
        CASE WHEN m.state = 'cancelled' THEN 0 ELSE m.value END
        + coalesce((
            SELECT sum(units_of_entry(c.entry_id))
            FROM entry AS e
            JOIN correction AS c ON c.corrected_entry_id = e.entry_id
            WHERE e.meter_event_id = m.meter_event_id
        ), 0)
        + coalesce((
            SELECT sum(units_of_entry(c.entry_id))
            FROM correction AS c
            WHERE c.meter_event_id = m.meter_event_id AND c.kind IN ('corrected', 'reverted')
        ), 0)
    FROM meter_event AS m
    WHERE m.meter_event_id = of_meter_event
$$;

-- Late usage ---------------------------------------------------------------------------------------------------------

-- Which invoice has closed the time of some usage; no row: none has. All stretches that bill the time must be closed: one
-- that is open still bills it. A trial's bills nothing, so nothing comes too late for it.
CREATE FUNCTION closing_of(of_account text, of_customer text, of_meter text, at timestamptz) RETURNS SETOF stretch
LANGUAGE sql STABLE AS $$
    SELECT s.*
    FROM stretch AS s
    WHERE s.account = of_account AND s.customer = of_customer AND s.meter_stripe_id = of_meter
        AND s.starts_at <= at AND s.ends_at > at AND NOT s.is_trial AND s.closed_at IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM stretch AS o
            WHERE o.account = of_account AND o.customer = of_customer AND o.meter_stripe_id = of_meter
                AND o.starts_at <= at AND o.ends_at > at AND NOT o.is_trial AND o.closed_at IS NULL
        )
    ORDER BY s.closed_at DESC, s.item
    LIMIT 1
$$;

-- The same as a person reads it; null: it is not late.
CREATE FUNCTION lateness(of_account text, of_customer text, of_meter text, at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format(
        'late: the invoice %s, which bills its time, was final at %s UTC', c.invoice,
        to_char(c.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
    )
    FROM closing_of(of_account, of_customer, of_meter, at) AS c
$$;

-- Whether a stretch is known that will still bill usage of that time.
CREATE FUNCTION is_billed_at(of_account text, of_customer text, of_meter text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM stretch AS s
        WHERE s.account = of_account AND s.customer = of_customer AND s.meter_stripe_id = of_meter
            AND s.starts_at <= at AND s.ends_at > at AND NOT s.is_trial AND s.closed_at IS NULL
    )
$$;

-- A meter event that Stripe took after the invoice of its time was final, for certain: every call that may have counted
-- was begun after it. Written down when it was accepted, or when its invoice became known, whichever was later, because
-- asking all meter events again and again would cost more than anything else here.
CREATE TABLE late_usage (
    meter_event_id bigint PRIMARY KEY REFERENCES meter_event,
    noted_at timestamptz NOT NULL DEFAULT ledger_now()
);
CREATE TRIGGER late_usage_is_a_fact BEFORE UPDATE OR DELETE ON late_usage
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what came too late stays on the books');

CREATE FUNCTION is_called_before(of_meter_event bigint, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM attempt AS a
    WHERE a.meter_event_id = of_meter_event AND a.started_at <= at
        AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'unknown'))
);

CREATE FUNCTION note_late_acceptance() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO late_usage (meter_event_id)
    SELECT NEW.meter_event_id
    FROM lane AS l
    CROSS JOIN LATERAL closing_of(l.account, l.customer, NEW.meter_stripe_id, NEW.stamped_at) AS c
    WHERE l.lane_id = NEW.lane_id AND NEW.accepted_at > c.closed_at
        AND NOT is_called_before(NEW.meter_event_id, c.closed_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER meter_event_accepted_late AFTER UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND NEW.state = 'accepted')
    EXECUTE FUNCTION note_late_acceptance();

CREATE FUNCTION note_late_of_stretch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO late_usage (meter_event_id)
    SELECT m.meter_event_id
    FROM lane AS l
    JOIN meter_event AS m USING (lane_id)
    WHERE l.account = NEW.account AND l.customer = NEW.customer AND m.meter_stripe_id = NEW.meter_stripe_id
        AND m.stamped_at >= NEW.starts_at AND m.stamped_at < NEW.ends_at AND m.accepted_at > NEW.closed_at
        AND m.state IN ('accepted', 'confirmed') AND NOT is_called_before(m.meter_event_id, NEW.closed_at)
    ORDER BY m.meter_event_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER stretch_closed AFTER INSERT OR UPDATE OF closed_at ON stretch
    FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL AND NOT NEW.is_trial)
    EXECUTE FUNCTION note_late_of_stretch();

-- A letter is closed by a person's hand as before, or with the late usage of which it was one.
CREATE OR REPLACE FUNCTION is_closed(letter text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM operator_action WHERE subject = letter AND state_after IN ('discarded', 'recorded')
) OR EXISTS (
    SELECT FROM correction AS c
    WHERE c.meter_event_id = substring(letter FROM '^me-([0-9]{1,18})$')::bigint
        AND c.kind IN ('carried', 'waived') AND c.state_before = 'refused'
);

-- What is on no invoice because its own was final before Stripe had it, and of which no person has decided.
CREATE VIEW late_meter_event AS
SELECT
    m.meter_event_id, m.lane_id, l.account, l.customer, l.meter, m.meter_stripe_id, m.formula, m.state, m.entries,
    CASE m.formula WHEN 'count' THEN 1 ELSE m.value END AS units, m.value, m.stamped_at, m.reason, m.sealed_at,
    m.accepted_at, c.item, c.price, c.starts_at AS stretch_start, c.invoice, c.closed_at
FROM (
    SELECT meter_event_id FROM meter_event WHERE state = 'refused'
    UNION ALL
    SELECT u.meter_event_id
    FROM late_usage AS u
    JOIN meter_event AS a USING (meter_event_id)
    WHERE a.state IN ('accepted', 'confirmed')
) AS candidate
JOIN meter_event AS m USING (meter_event_id)
JOIN lane AS l USING (lane_id)
CROSS JOIN LATERAL closing_of(l.account, l.customer, m.meter_stripe_id, m.stamped_at) AS c
WHERE NOT is_closed('me-' || m.meter_event_id) AND NOT EXISTS (
    SELECT FROM correction AS d WHERE d.meter_event_id = m.meter_event_id AND d.kind IN ('carried', 'waived')
);

-- Taken back at Stripe -----------------------------------------------------------------------------------------------

-- A cancellation by the same machinery as that of a copy too many; here the copy is the only one, and a person decided it.
-- Where Stripe refuses, an entry takes its place: the usage still counts.
ALTER TABLE surplus
    ADD COLUMN correction_id bigint REFERENCES correction,  -- null: a copy too many
    DROP CONSTRAINT surplus_ending_check,
    ADD CONSTRAINT surplus_ending_check CHECK (ending IN ('cancelled', 'contradicted', 'replaced'));
CREATE OR REPLACE TRIGGER surplus_is_immutable
    BEFORE UPDATE OF meter_event_id, generation, found_at, cancel_until, correction_id ON surplus
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what is to be cancelled never changes');

CREATE FUNCTION is_being_taken_back(of_meter_event bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM surplus AS s
    WHERE s.meter_event_id = of_meter_event AND s.correction_id IS NOT NULL AND s.ended_at IS NULL
);

-- A new state: cancelled. Stripe counted it, a person took it back as a whole, and its minute shows nothing of it. Its
-- minute stays its own, so that nothing else is reported in it. Should it show again, that is a conflict.
ALTER TABLE meter_event
    DROP CONSTRAINT meter_event_state_check,
    ADD CONSTRAINT meter_event_state_check CHECK (state IN
        ('sealed', 'unknown', 'accepted', 'confirmed', 'refused', 'held', 'conflict', 'cancelled'));
CREATE OR REPLACE TRIGGER meter_event_moves_forward BEFORE UPDATE OF state ON meter_event
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('sealed', 'accepted'), ('sealed', 'unknown'), ('sealed', 'refused'), ('sealed', 'held'), ('sealed', 'conflict'),
        ('unknown', 'accepted'), ('unknown', 'refused'), ('unknown', 'held'), ('unknown', 'conflict'),
        ('held', 'accepted'), ('held', 'sealed'), ('held', 'refused'), ('held', 'conflict'),
        ('refused', 'sealed'), ('refused', 'conflict'),
        ('accepted', 'confirmed'), ('accepted', 'held'), ('accepted', 'refused'), ('accepted', 'conflict'),
        ('confirmed', 'refused'), ('confirmed', 'conflict'), ('confirmed', 'cancelled'),
        ('cancelled', 'conflict'),
        ('conflict', 'confirmed')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');

-- What persons do has more words by now than a list in a constraint is good for.
ALTER TABLE operator_action
    DROP CONSTRAINT operator_action_verb_check,
    ADD CONSTRAINT operator_action_verb_check CHECK (verb ~ '^[a-z]{1,20}$');
