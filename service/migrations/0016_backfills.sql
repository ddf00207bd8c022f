-- Backfills: rows that are staged, previewed, closed and reverted as a unit.

-- A unit of rows. Open, it is filled and nothing of it counts; closing, its rows are being recorded, and after a crash that
-- goes on where it was; closed, they are entries; reverting and reverted likewise.
CREATE TABLE backfill (
    backfill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    name text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'closed', 'reverting', 'reverted')),
    opened_at timestamptz NOT NULL DEFAULT ledger_now(),
    opened_by text NOT NULL,
    close_action_id bigint REFERENCES operator_action,
    closed_at timestamptz,
    revert_action_id bigint REFERENCES operator_action,
    reverted_at timestamptz,
    UNIQUE (account, name),
    CONSTRAINT closed_by_an_action CHECK ((close_action_id IS NULL) = (state = 'open')),
    CONSTRAINT reverted_by_an_action CHECK ((revert_action_id IS NULL) = (state IN ('open', 'closing', 'closed')))
);
CREATE TRIGGER backfill_is_immutable BEFORE UPDATE OF backfill_id, account, name, opened_at, opened_by ON backfill
    FOR EACH ROW EXECUTE FUNCTION refuse_change('who opened which backfill never changes');
CREATE TRIGGER backfill_moves_forward BEFORE UPDATE OF state ON backfill
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('open', 'closing'), ('closing', 'closed'), ('closed', 'reverting'), ('reverting', 'reverted')
    )) EXECUTE FUNCTION refuse_change('no such step between these states');
CREATE TRIGGER backfill_stays BEFORE DELETE ON backfill
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was filled in stays on the books');

-- One row of it, in the order of its files. What it says never changes; what became of it is written down once, and once
-- more where it is reverted.
CREATE TABLE backfill_row (
    backfill_id bigint NOT NULL REFERENCES backfill,
    place bigint GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    row_id text NOT NULL,
    content_hash bytea NOT NULL,
    customer text NOT NULL,
    meter text NOT NULL,
    value numeric NOT NULL,
    occurred_at timestamptz NOT NULL,
    unit text,
    state text NOT NULL DEFAULT 'staged' CHECK (state IN (
        'staged',
        'recorded',                         -- an entry by this backfill
        'duplicate',                        -- recorded before, by whomever: it counts once
        'conflict',                         -- recorded before with other content, which counts
        'left_out',                         -- it could not be billed; the reason says why
        'reverted',                         -- an entry, and nothing of it counts any more
        'kept'                              -- an entry that could not be taken back; the reason says why
    )),
    reason text,
    entry_id bigint,
    PRIMARY KEY (backfill_id, source, row_id),
    CONSTRAINT an_entry_of_what_is_recorded CHECK ((entry_id IS NOT NULL) = (state IN ('recorded', 'reverted', 'kept'))),
    CONSTRAINT left_out_for_a_reason CHECK (reason IS NOT NULL OR state NOT IN ('left_out', 'kept'))
);
CREATE UNIQUE INDEX backfill_row_by_state ON backfill_row (backfill_id, state, place);
CREATE INDEX backfill_row_of_entry ON backfill_row (entry_id) WHERE entry_id IS NOT NULL;
CREATE TRIGGER backfill_row_is_immutable
    BEFORE UPDATE OF backfill_id, place, source, row_id, content_hash, customer, meter, value, occurred_at, unit
    ON backfill_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was staged never changes');
CREATE TRIGGER backfill_row_moves_forward BEFORE UPDATE OF state, entry_id ON backfill_row
    FOR EACH ROW WHEN ((OLD.entry_id IS NOT NULL AND OLD.entry_id IS DISTINCT FROM NEW.entry_id) OR (
        OLD.state <> NEW.state AND OLD.state <> 'staged' AND (OLD.state <> 'recorded' OR NEW.state NOT IN ('reverted', 'kept'))
    )) EXECUTE FUNCTION refuse_change('no such step of a staged row');
CREATE TRIGGER backfill_row_stays BEFORE DELETE ON backfill_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what was filled in stays on the books');

-- What would become of a staged row now: `standing` is the state that it would have, and `reason` why it would not count.
CREATE VIEW staged_row AS
SELECT
    b.backfill_id, b.place, f.account, b.source, b.row_id, b.content_hash, b.customer, b.meter, b.value, b.occurred_at, b.unit,
    k.content_hash AS known_hash, m.stripe_id AS meter_stripe_id, m.formula,
    CASE
        WHEN k.content_hash = b.content_hash THEN 'duplicate'
        WHEN k.content_hash IS NOT NULL THEN 'conflict'
        WHEN told.reason IS NOT NULL THEN 'left_out'
        ELSE 'recorded'
    END AS standing,
    CASE
        WHEN k.content_hash = b.content_hash THEN 'recorded before; it counts once'
        WHEN k.content_hash IS NOT NULL THEN 'recorded before with other content, which counts'
        ELSE told.reason
    END AS reason
FROM backfill_row AS b
JOIN backfill AS f USING (backfill_id)
LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (f.account, b.source, b.row_id)
LEFT JOIN meter AS m ON (m.account, m.meter) = (f.account, b.meter)
LEFT JOIN LATERAL closing_of(f.account, b.customer, m.stripe_id, b.occurred_at) AS c ON true
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN NOT coalesce(m.is_active AND m.event_time_window IS NULL AND m.formula IN ('sum', 'count', 'last'), false)
            THEN 'its meter is not known as active; see meterpost meter list'
        WHEN b.occurred_at <= ledger_now() - interval '34 days' THEN 'too old: Stripe takes nothing older than 35 days'
        WHEN c.invoice IS NOT NULL THEN lateness(f.account, b.customer, m.stripe_id, b.occurred_at)
    END AS reason
) AS told
WHERE b.state = 'staged';
