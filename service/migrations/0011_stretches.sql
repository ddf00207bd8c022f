-- Which item of which subscription bills a lane's usage, from when until when, and on which invoice.

-- Every word about a subscription, whole, though a newer one holds: what it said of its items then is true of then. A
-- price that changed is seen only by who still has the word before it.
CREATE TABLE subscription_word (
    account text NOT NULL,
    subscription text NOT NULL,
    told_at timestamptz NOT NULL,           -- of an event Stripe's second; of what Stripe answered, when it was asked
    digest text NOT NULL,                   -- of the facts: two words of one second are two
    facts jsonb NOT NULL,
    PRIMARY KEY (account, subscription, told_at, digest)
);
CREATE TRIGGER subscription_word_is_immutable BEFORE UPDATE OR DELETE ON subscription_word
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe said never changes');

-- Time in which one metered item of a subscription bills at one price on one invoice: a billing period, cut where its
-- price changed, where it went or where its subscription ended. It follows from the words about the subscription and
-- from the lines of its invoices, in whatever order they came; once its invoice is final it stays as it is.
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
    billed numeric,                         -- the quantity of its lines, once they are final
    reported numeric,                       -- what the ledger had sealed of it then, in doubt or not
    learnt_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, item, price, starts_at),
    CONSTRAINT closed_by_an_invoice CHECK ((invoice IS NULL) = (closed_at IS NULL)),
    CONSTRAINT ends_after_it_starts CHECK (starts_at < ends_at)
);
CREATE INDEX stretch_of_lane ON stretch (account, customer, meter_stripe_id, starts_at);
CREATE INDEX stretch_of_subscription ON stretch (account, subscription);
CREATE INDEX stretch_on_trial ON stretch (account) WHERE is_trial AND closed_at IS NULL;
CREATE INDEX stretch_cut ON stretch (account) WHERE cut IS NOT NULL AND closed_at IS NULL AND NOT is_trial;
CREATE INDEX stretch_without_invoice ON stretch (account, ends_at) WHERE closed_at IS NULL AND NOT is_trial;
CREATE INDEX stretch_that_differs ON stretch (account) WHERE billed IS DISTINCT FROM reported;
CREATE TRIGGER stretch_is_immutable
    BEFORE UPDATE OF account, item, price, starts_at, subscription, customer, meter_stripe_id, learnt_at ON stretch
    FOR EACH ROW EXECUTE FUNCTION refuse_change('who billed what, when, never changes');
CREATE TRIGGER stretch_closes_once BEFORE UPDATE OF ends_at, invoice, closed_at, billed, reported ON stretch
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL AND OLD IS DISTINCT FROM NEW)
    EXECUTE FUNCTION refuse_change('an invoice is final once');
CREATE TRIGGER stretch_stays BEFORE DELETE ON stretch
    FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('what was billed stays on the books');

-- Does a stretch of the customer's on this meter cover an instant?
CREATE FUNCTION is_billed(of_account text, of_customer text, of_meter text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM stretch AS s
    WHERE (s.account, s.customer, s.meter_stripe_id) = (of_account, of_customer, of_meter)
        AND s.starts_at <= at AND s.ends_at > at
);
DROP FUNCTION is_subscribed(text, text, text);

-- What the ledger has of a customer and meter in a stretch that an invoice may have: whatever was sealed and not
-- refused, as an invoice counts it, of which a negative sum is none. Where this is what the invoice billed, nothing was
-- in doubt.
CREATE FUNCTION units_sealed(
    of_account text, of_customer text, of_meter text, since timestamptz, until timestamptz
) RETURNS numeric
LANGUAGE sql STABLE AS $$
SELECT greatest(0, coalesce(
    CASE max(m.formula)
        WHEN 'count' THEN count(*)
        WHEN 'last' THEN (array_agg(m.value ORDER BY m.stamped_at DESC, m.meter_event_id DESC))[1]
        ELSE sum(m.value)
    END, 0
))
FROM lane AS l
JOIN meter_event AS m USING (lane_id)
WHERE (l.account, l.customer, m.meter_stripe_id) = (of_account, of_customer, of_meter)
    AND m.stamped_at >= since AND m.stamped_at < until
    AND m.state NOT IN ('refused', 'cancelled') AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
$$;

-- The usage of a customer and meter in a span, on its way or counted; not what stands before a person as refused, nor
-- what never was to be sent. Of a `last` meter the units are the latest value.
CREATE FUNCTION usage_within(
    of_account text, of_customer text, of_meter text, span_start timestamptz, span_end timestamptz
) RETURNS TABLE (meter text, rows bigint, units numeric, since timestamptz, until timestamptz)
LANGUAGE sql STABLE AS $$
SELECT
    min(u.meter), sum(u.rows)::bigint,
    CASE max(u.formula)
        WHEN 'count' THEN sum(u.rows)
        WHEN 'last' THEN (array_agg(u.value ORDER BY u.at DESC))[1]
        ELSE sum(u.value)
    END,
    min(u.at), max(u.at)
FROM (
    SELECT l.meter, m.formula, m.value, m.entries AS rows, m.stamped_at AS at
    FROM lane AS l
    JOIN meter_event AS m USING (lane_id)
    WHERE (l.account, l.customer, m.meter_stripe_id) = (of_account, of_customer, of_meter)
        AND m.stamped_at >= span_start AND m.stamped_at < span_end
        AND m.state NOT IN ('refused', 'cancelled') AND (m.state <> 'confirmed' OR m.accepted_at IS NOT NULL)
    UNION ALL
    SELECT l.meter, k.formula, e.value, 1, e.occurred_at
    FROM lane AS l
    JOIN meter AS k USING (account, meter)
    JOIN entry AS e USING (lane_id)
    WHERE (l.account, l.customer, k.stripe_id) = (of_account, of_customer, of_meter)
        AND e.meter_event_id IS NULL AND e.occurred_at >= span_start AND e.occurred_at < span_end
        AND e.bucket >= span_start - interval '1 hour' AND e.bucket < span_end
) AS u
HAVING count(*) > 0
$$;

-- What the words and the invoices' lines say together, of these subscriptions: the stretches, whatever order they came
-- in. A line is exact, and beats what words leave open. Within a period an item's prices follow one another by when
-- they were first seen. What came before the first word, back to the subscription's start or to the period before, was
-- billed by the same item at the price that is known first: it may be wrong about the price, but not about whether it
-- was billed.
CREATE FUNCTION told_stretches(of_account text, of_subscriptions text[]) RETURNS TABLE (
    subscription text, item text, price text, starts_at timestamptz, ends_at timestamptz, customer text,
    meter_stripe_id text, is_trial boolean, cut text, invoice text, closed_at timestamptz, billed numeric
)
LANGUAGE sql STABLE AS $$
WITH newest AS MATERIALIZED (
    SELECT
        m.object_id AS subscription, m.customer,
        (m.facts ->> 'start_date')::timestamptz AS start_date,
        (m.facts ->> 'ended_at')::timestamptz AS ended_at,
        coalesce(m.facts ->> 'ended_at', m.facts ->> 'cancel_at', 'infinity')::timestamptz AS over_at
    FROM mirror AS m
    WHERE m.account = of_account AND m.kind = 'subscription' AND m.object_id = ANY(of_subscriptions)
        AND m.facts ->> 'status' <> 'incomplete_expired'
),
word AS MATERIALIZED (
    SELECT w.subscription, w.told_at, w.facts
    FROM subscription_word AS w
    JOIN newest AS n ON n.subscription = w.subscription
    WHERE w.account = of_account
),
trial AS MATERIALIZED (
    SELECT t.subscription, range_agg(tstzrange(t.trial_start, t.trial_end)) AS free
    FROM (
        SELECT DISTINCT ON (w.subscription, w.facts ->> 'trial_start')
            w.subscription, (w.facts ->> 'trial_start')::timestamptz AS trial_start,
            (w.facts ->> 'trial_end')::timestamptz AS trial_end
        FROM word AS w
        WHERE w.facts ->> 'trial_start' IS NOT NULL AND w.facts ->> 'trial_end' IS NOT NULL
        ORDER BY w.subscription, w.facts ->> 'trial_start', w.told_at DESC, w.facts ->> 'trial_end' DESC
    ) AS t
    WHERE t.trial_start < t.trial_end
    GROUP BY t.subscription
),
-- Two words of one second: the one whose price the next word repeats came last.
seen AS MATERIALIZED (
    SELECT
        s.*,
        coalesce(s.price = first_value(s.price) OVER (
            PARTITION BY s.subscription, s.item ORDER BY s.told_at GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING
        ), false) AS is_kept,
        min(s.told_at) OVER (PARTITION BY s.subscription, s.item) AS first_seen,
        max(s.told_at) OVER (PARTITION BY s.subscription, s.item) AS last_seen
    FROM (
        SELECT
            w.subscription, w.told_at, i.item ->> 'item' AS item, i.item ->> 'price' AS price,
            i.item ->> 'meter_stripe_id' AS meter_stripe_id,
            (i.item ->> 'period_start')::timestamptz AS period_start,
            (i.item ->> 'period_end')::timestamptz AS period_end
        FROM word AS w
        CROSS JOIN LATERAL jsonb_array_elements(w.facts -> 'items') AS i (item)
    ) AS s
    WHERE s.meter_stripe_id IS NOT NULL
),
life AS (
    SELECT
        i.subscription, i.item,
        CASE WHEN bool_or(w.told_at < i.first_seen) THEN i.first_seen ELSE '-infinity' END AS came_at,
        coalesce(min(w.told_at) FILTER (WHERE w.told_at > i.last_seen), 'infinity') AS went_at
    FROM (SELECT DISTINCT s.subscription, s.item, s.first_seen, s.last_seen FROM seen AS s) AS i
    JOIN word AS w ON w.subscription = i.subscription
    GROUP BY i.subscription, i.item, i.first_seen
),
run AS (
    SELECT
        r.subscription, r.item, r.price, r.meter_stripe_id, r.period_start, r.period_end, l.came_at, l.went_at,
        r.number = 1 AS is_first,
        greatest(r.period_start, CASE WHEN r.number = 1 THEN l.came_at ELSE r.told_at END) AS starts_at
    FROM (
        SELECT
            s.*,
            row_number() OVER of_period AS number,
            lag(s.price) OVER of_period IS DISTINCT FROM s.price AS is_change,
            last_value(s.period_end) OVER (
                of_period ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS end_told_last
        FROM seen AS s
        WINDOW of_period AS (
            PARTITION BY s.subscription, s.item, s.period_start ORDER BY s.told_at, s.is_kept, s.price, s.period_end
        )
    ) AS s
    CROSS JOIN LATERAL (
        SELECT
            s.subscription, s.item, s.price, s.meter_stripe_id, s.period_start, s.end_told_last AS period_end,
            s.told_at, s.number
    ) AS r
    JOIN life AS l ON (l.subscription, l.item) = (r.subscription, r.item)
    WHERE s.is_change
),
placed AS (
    SELECT
        r.*,
        least(lead(r.starts_at) OVER of_item, r.period_end, r.went_at, n.over_at) AS ends_at,
        coalesce(
            lag(r.period_end) OVER of_item, CASE WHEN r.came_at = '-infinity' THEN n.start_date END, r.starts_at
        ) AS before_starts_at,
        n.over_at, n.ended_at
    FROM run AS r
    JOIN newest AS n ON n.subscription = r.subscription
    WINDOW of_item AS (PARTITION BY r.subscription, r.item ORDER BY r.starts_at, r.period_start)
),
piece AS (
    SELECT
        p.subscription, p.item, p.price, p.meter_stripe_id, p.period_end, p.ended_at,
        tstzrange(p.starts_at, p.ends_at) AS span
    FROM placed AS p
    WHERE p.starts_at < p.ends_at
    UNION ALL
    SELECT
        p.subscription, p.item, p.price, p.meter_stripe_id, least(p.starts_at, p.over_at), p.ended_at,
        tstzrange(p.before_starts_at, least(p.starts_at, p.over_at))
    FROM placed AS p
    WHERE p.is_first AND p.before_starts_at < least(p.starts_at, p.over_at)
),
line AS MATERIALIZED (
    SELECT DISTINCT ON (l.subscription, l.item, l.price, l.starts_at) l.*
    FROM (
        SELECT
            b.subscription, coalesce(b.subscription_item, known.item) AS item, b.price,
            b.period_start AS starts_at, b.period_end AS ends_at,
            coalesce(b.meter_stripe_id, known.meter_stripe_id) AS meter_stripe_id,
            CASE WHEN i.status <> 'draft' THEN b.invoice END AS invoice,
            CASE WHEN i.status <> 'draft' THEN coalesce(i.finalized_at, i.as_of) END AS closed_at,
            CASE WHEN i.status <> 'draft' THEN sum(b.quantity) END AS billed
        FROM newest AS n
        JOIN mirror AS m ON (m.account, m.customer, m.kind) = (of_account, n.customer, 'invoice')
        JOIN invoice AS i ON (i.account, i.invoice) = (m.account, m.object_id)
        JOIN invoice_line AS b ON (b.account, b.invoice, b.subscription) = (m.account, m.object_id, n.subscription)
        LEFT JOIN LATERAL (
            SELECT s.item, s.meter_stripe_id
            FROM seen AS s
            WHERE s.subscription = n.subscription
                AND (s.price = b.price OR (b.meter_stripe_id IS NOT NULL AND s.meter_stripe_id = b.meter_stripe_id))
                AND s.item = coalesce(b.subscription_item, s.item)
            ORDER BY (s.price = b.price) DESC, s.told_at
            LIMIT 1
        ) AS known ON true
        WHERE i.status IS NOT NULL AND b.is_proration IS NOT TRUE AND b.period_start < b.period_end
        GROUP BY
            b.subscription, coalesce(b.subscription_item, known.item), b.price, b.period_start, b.period_end,
            coalesce(b.meter_stripe_id, known.meter_stripe_id), i.status, b.invoice, i.finalized_at, i.as_of
    ) AS l
    WHERE l.item IS NOT NULL AND l.price IS NOT NULL AND l.meter_stripe_id IS NOT NULL
    ORDER BY l.subscription, l.item, l.price, l.starts_at, l.closed_at NULLS LAST, l.ends_at DESC
),
lined AS (
    SELECT l.subscription, l.item, range_agg(tstzrange(l.starts_at, l.ends_at)) AS spans
    FROM line AS l
    GROUP BY l.subscription, l.item
),
part AS (
    SELECT p.*, side.is_trial, unnest(side.spans) AS rest
    FROM piece AS p
    LEFT JOIN lined AS l ON (l.subscription, l.item) = (p.subscription, p.item)
    LEFT JOIN trial AS t ON t.subscription = p.subscription
    CROSS JOIN LATERAL (SELECT tstzmultirange(p.span) - coalesce(l.spans, '{}') AS unlined) AS u
    CROSS JOIN LATERAL (
        VALUES (true, u.unlined * coalesce(t.free, '{}')), (false, u.unlined - coalesce(t.free, '{}'))
    ) AS side (is_trial, spans)
)
SELECT DISTINCT ON (p.item, p.price, lower(p.rest))
    p.subscription, p.item, p.price, lower(p.rest), upper(p.rest), n.customer, p.meter_stripe_id, p.is_trial,
    CASE WHEN upper(p.rest) < p.period_end THEN
        CASE WHEN upper(p.rest) = p.ended_at THEN 'cancelled' WHEN upper(p.rest) < n.over_at THEN 'changed' END
    END,
    NULL::text, NULL::timestamptz, NULL::numeric
FROM part AS p
JOIN newest AS n ON n.subscription = p.subscription
UNION ALL
SELECT
    l.subscription, l.item, l.price, l.starts_at, l.ends_at, n.customer, l.meter_stripe_id,
    coalesce(t.free @> l.starts_at, false), NULL, l.invoice, l.closed_at, l.billed
FROM line AS l
JOIN newest AS n ON n.subscription = l.subscription
LEFT JOIN trial AS t ON t.subscription = l.subscription
$$;

-- A meter event whose entries a boundary divides that was learnt after it was sealed: Stripe counts all of it on one
-- side.
CREATE TABLE straddle (
    meter_event_id bigint NOT NULL REFERENCES meter_event,
    edge_at timestamptz NOT NULL,
    learnt_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (meter_event_id, edge_at)
);

-- A customer of whom the ledger has usage, and whose subscriptions were never listed: a bell, rung with their first
-- row.
CREATE TABLE unread_customer (
    account text NOT NULL,
    customer text NOT NULL,
    due_at timestamptz NOT NULL DEFAULT ledger_now(),
    PRIMARY KEY (account, customer)
);
INSERT INTO unread_customer (account, customer)
SELECT DISTINCT account, customer FROM lane
EXCEPT
SELECT account, customer FROM customer;

-- A bell that is put off because nobody bills its entries, and is rung when somebody does.
ALTER TABLE unsealed ADD COLUMN is_held boolean NOT NULL DEFAULT false;
CREATE INDEX unsealed_held ON unsealed (lane_id, bucket) WHERE is_held;

-- What nobody bills, as of what is known now: set anew for the time of which something else is learnt.
CREATE INDEX meter_event_unbilled ON meter_event (lane_id, stamped_at) WHERE is_unbilled;
COMMENT ON COLUMN meter_event.is_unbilled IS 'no stretch that is known now covers its time';

-- What is not confirmed, by its time: asked about while a draft is open.
CREATE INDEX meter_event_unsettled ON meter_event (lane_id, stamped_at)
    WHERE state IN ('sealed', 'unknown', 'accepted', 'held', 'refused', 'conflict');

-- Of a lane that a draft bills: when that is finalized. It is leased before the others, so that its usage is in time.
ALTER TABLE lane ADD COLUMN closes_at timestamptz;
DROP INDEX lane_due;
CREATE INDEX lane_due ON lane (account, (closes_at IS NULL), due_at) WHERE due_at IS NOT NULL;

-- What was known before. The newest words are in the mirrors; the older ones are applied once more, and find a mirror
-- that is a second older than it was, so that nothing need be asked of Stripe.
UPDATE mirror
SET facts = facts || jsonb_build_object('start_date', CASE WHEN object ->> 'start_date' ~ '^\d{1,11}$' THEN
        to_timestamp((object ->> 'start_date')::bigint)
    END),
    as_of = CASE WHEN read_at IS NULL THEN as_of - interval '1 second' ELSE as_of END
WHERE kind = 'subscription';
INSERT INTO subscription_word (account, subscription, told_at, digest, facts)
SELECT account, object_id, coalesce(read_at, as_of), md5(facts::text), facts
FROM mirror
WHERE kind = 'subscription'
ON CONFLICT DO NOTHING;
UPDATE event
SET state = 'received', due_at = ledger_now(), reason = NULL
WHERE state = 'applied' AND type LIKE 'customer.subscription.%' AND convert_from(body, 'UTF8') LIKE '%"items"%';
INSERT INTO stretch
    (account, subscription, item, price, starts_at, ends_at, customer, meter_stripe_id, is_trial, cut, invoice,
     closed_at, billed, reported)
SELECT s.account, t.*, t.billed
FROM (
    SELECT account, array_agg(object_id) AS subscriptions FROM mirror WHERE kind = 'subscription' GROUP BY account
) AS s
CROSS JOIN LATERAL told_stretches(s.account, s.subscriptions) AS t
ON CONFLICT DO NOTHING;
UPDATE meter_event AS m
SET is_unbilled = NOT is_billed(l.account, l.customer, m.meter_stripe_id, m.stamped_at)
FROM lane AS l
WHERE l.lane_id = m.lane_id AND m.is_unbilled;
