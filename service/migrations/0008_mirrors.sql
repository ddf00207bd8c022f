-- One table of mirrors for every kind of Stripe's objects, so that there is one rule of which word holds. What an object
-- says is read in Python, once, into the same facts whatever API version told it; the typed tables that the rest of the
-- ledger joins are views over these facts, and can never say anything else than the mirror.

ALTER TABLE subscription_item RENAME TO old_subscription_item;
ALTER TABLE subscription RENAME TO old_subscription;
ALTER TABLE invoice RENAME TO old_invoice;

-- A Stripe object as of the newest word about it. `as_of` is Stripe's time, in whole seconds. Where two words of one
-- second do not tell which is newer, the object is read from Stripe, and `read_at` (our clock) says when it was asked: of
-- two readings the later holds. A deletion is the last word.
CREATE TABLE mirror (
    account text NOT NULL,
    kind text NOT NULL,                     -- Stripe's word for it: subscription, invoice, billing.meter, price, customer
    object_id text NOT NULL,
    customer text,                          -- whose it is; null: nobody's
    as_of timestamptz NOT NULL,
    read_at timestamptz,                    -- null: an event's word
    is_deleted boolean NOT NULL,
    facts jsonb NOT NULL,                   -- what we read in it; amounts and quantities as text, for they are decimals
    object jsonb NOT NULL,                  -- what Stripe said, whole
    PRIMARY KEY (account, kind, object_id)
);
CREATE INDEX mirror_by_customer ON mirror (account, customer, kind) WHERE customer IS NOT NULL;
CREATE INDEX mirror_of_draft ON mirror (account) WHERE kind = 'invoice' AND facts ->> 'status' = 'draft';

-- What Stripe answered where an event could not decide: what was asked, because of which event, and when it was applied.
CREATE TABLE object_reading (
    object_reading_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    kind text NOT NULL,
    object_id text NOT NULL,
    event_id text NOT NULL,
    as_of timestamptz NOT NULL,             -- the second of the words that did not decide
    read_at timestamptz NOT NULL,           -- before the question was asked
    object jsonb NOT NULL,
    applied_at timestamptz,                 -- with the marks of its events; null: a worker died before, and asked anew
    FOREIGN KEY (account, event_id) REFERENCES event
);
CREATE INDEX object_reading_of ON object_reading (account, kind, object_id, object_reading_id);
CREATE TRIGGER object_reading_is_immutable
    BEFORE UPDATE OF object_reading_id, account, kind, object_id, event_id, as_of, read_at, object ON object_reading
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe answered never changes');
CREATE TRIGGER object_reading_stays BEFORE DELETE ON object_reading
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what Stripe answered stays on the books');

CREATE VIEW subscription AS
SELECT
    account,
    object_id AS subscription,
    customer,
    facts ->> 'status' AS status,
    facts ->> 'billing_mode' AS billing_mode,
    (facts ->> 'trial_start')::timestamptz AS trial_start,
    (facts ->> 'trial_end')::timestamptz AS trial_end,
    (facts ->> 'cancel_at')::timestamptz AS cancel_at,
    (facts ->> 'cancel_at_period_end')::boolean AS cancel_at_period_end,
    (facts ->> 'canceled_at')::timestamptz AS canceled_at,
    (facts ->> 'ended_at')::timestamptz AS ended_at,
    as_of,
    read_at,
    object
FROM mirror
WHERE kind = 'subscription';

CREATE VIEW subscription_item AS
SELECT
    m.account,
    i.item ->> 'item' AS item,
    m.object_id AS subscription,
    m.customer,
    i.item ->> 'price' AS price,
    i.item ->> 'meter_stripe_id' AS meter_stripe_id,    -- null: a licensed price
    (i.item ->> 'quantity')::bigint AS quantity,
    (i.item ->> 'period_start')::timestamptz AS period_start,
    (i.item ->> 'period_end')::timestamptz AS period_end
FROM mirror AS m
CROSS JOIN LATERAL jsonb_array_elements(m.facts -> 'items') AS i (item)
WHERE m.kind = 'subscription';

CREATE VIEW invoice AS
SELECT
    account,
    object_id AS invoice,
    customer,
    facts ->> 'subscription' AS subscription,
    facts ->> 'status' AS status,                       -- null: deleted
    facts ->> 'billing_reason' AS billing_reason,
    (facts ->> 'period_start')::timestamptz AS period_start,
    (facts ->> 'period_end')::timestamptz AS period_end,
    (facts ->> 'total')::bigint AS total,               -- in the currency's minor unit
    facts ->> 'currency' AS currency,
    (facts ->> 'automatically_finalizes_at')::timestamptz AS automatically_finalizes_at,
    (facts ->> 'finalized_at')::timestamptz AS finalized_at,
    (facts ->> 'is_whole')::boolean AS is_whole,        -- false: not all of its lines are known yet
    as_of,
    read_at,
    object
FROM mirror
WHERE kind = 'invoice';

CREATE VIEW price AS
SELECT
    account,
    object_id AS price,
    facts ->> 'product' AS product,
    facts ->> 'currency' AS currency,
    (facts ->> 'is_active')::boolean AS is_active,
    facts ->> 'usage_type' AS usage_type,               -- metered or licensed; null: a one-time price
    facts ->> 'interval' AS interval,
    (facts ->> 'interval_count')::bigint AS interval_count,
    facts ->> 'meter_stripe_id' AS meter_stripe_id,
    (facts ->> 'unit_amount')::numeric AS unit_amount,  -- in the currency's minor unit; null: tiers
    facts ->> 'tiers_mode' AS tiers_mode,
    facts -> 'tiers' AS tiers,
    (facts ->> 'divide_by')::bigint AS divide_by,       -- a package's size
    facts ->> 'round' AS round,
    is_deleted,
    as_of,
    read_at,
    object
FROM mirror
WHERE kind = 'price';

-- A line's meter is known by its own price, where an old API version told it, or by its subscription's item, or by the
-- mirrored price.
CREATE VIEW invoice_line AS
SELECT
    m.account,
    l.line ->> 'line' AS line,
    m.object_id AS invoice,
    m.customer,
    l.place,
    (l.line ->> 'amount')::bigint AS amount,
    l.line ->> 'currency' AS currency,
    (l.line ->> 'quantity')::numeric AS quantity,
    (l.line ->> 'unit_amount')::numeric AS unit_amount,
    l.line ->> 'price' AS price,
    l.line ->> 'subscription' AS subscription,
    l.line ->> 'subscription_item' AS subscription_item,
    coalesce(
        l.line ->> 'meter_stripe_id',
        (
            SELECT i.item ->> 'meter_stripe_id'
            FROM mirror AS s
            CROSS JOIN LATERAL jsonb_array_elements(s.facts -> 'items') AS i (item)
            WHERE (s.account, s.kind, s.object_id) = (m.account, 'subscription', l.line ->> 'subscription')
                AND i.item ->> 'item' = l.line ->> 'subscription_item' AND i.item ->> 'price' = l.line ->> 'price'
        ),
        (
            SELECT p.facts ->> 'meter_stripe_id'
            FROM mirror AS p
            WHERE (p.account, p.kind, p.object_id) = (m.account, 'price', l.line ->> 'price')
        )
    ) AS meter_stripe_id,
    (l.line ->> 'is_proration')::boolean AS is_proration,
    (l.line ->> 'period_start')::timestamptz AS period_start,
    (l.line ->> 'period_end')::timestamptz AS period_end
FROM mirror AS m
CROSS JOIN LATERAL jsonb_array_elements(m.facts -> 'lines') WITH ORDINALITY AS l (line, place)
WHERE m.kind = 'invoice';

-- As before, on the views.
CREATE OR REPLACE FUNCTION is_subscribed(of_account text, of_customer text, of_meter text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM subscription_item AS i
    JOIN subscription AS s USING (account, subscription)
    WHERE i.account = of_account AND i.customer = of_customer AND i.meter_stripe_id = of_meter
        AND s.status NOT IN ('canceled', 'incomplete_expired')
);

-- What was mirrored before. Stripe's seconds since 1970, where they are such.
CREATE FUNCTION pg_temp.stripes_instant(told jsonb) RETURNS timestamptz
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN told::text ~ '^\d{1,11}$' THEN to_timestamp(told::text::double precision) END;

INSERT INTO mirror (account, kind, object_id, customer, as_of, read_at, is_deleted, facts, object)
SELECT
    s.account, 'subscription', s.subscription, s.customer, s.as_of, s.read_at, false,
    jsonb_build_object(
        'customer', s.customer,
        'status', s.status,
        'billing_mode', s.object -> 'billing_mode' ->> 'type',
        'trial_start', pg_temp.stripes_instant(s.object -> 'trial_start'),
        'trial_end', pg_temp.stripes_instant(s.object -> 'trial_end'),
        'cancel_at', pg_temp.stripes_instant(s.object -> 'cancel_at'),
        'cancel_at_period_end', s.object -> 'cancel_at_period_end' = 'true',
        'canceled_at', pg_temp.stripes_instant(s.object -> 'canceled_at'),
        'ended_at', s.ended_at,
        'items', coalesce(i.items, '[]'),
        'is_whole', true
    ),
    s.object
FROM old_subscription AS s
LEFT JOIN LATERAL (
    SELECT jsonb_agg(
        jsonb_build_object(
            'item', item, 'price', price, 'meter_stripe_id', meter_stripe_id,
            'period_start', period_start, 'period_end', period_end
        )
        ORDER BY item
    ) AS items
    FROM old_subscription_item AS o
    WHERE (o.account, o.subscription) = (s.account, s.subscription)
) AS i ON true;

-- An invoice's lines, and the other kinds, were told and not kept: their events are applied once more. A second older
-- than it was, so that the newest word about an invoice is new to its mirror and need not be asked of Stripe.
INSERT INTO mirror (account, kind, object_id, customer, as_of, read_at, is_deleted, facts, object)
SELECT
    account, 'invoice', invoice, customer, as_of - interval '1 second', read_at, status IS NULL,
    jsonb_build_object(
        'customer', customer,
        'subscription', subscription,
        'status', status,
        'billing_reason', billing_reason,
        'period_start', period_start,
        'period_end', period_end,
        'total', total,
        'currency', currency,
        'automatically_finalizes_at', automatically_finalizes_at,
        'lines', '[]'::jsonb,
        'is_whole', false
    ),
    object
FROM old_invoice;
UPDATE event
SET state = 'received', due_at = ledger_now(), reason = NULL
WHERE state IN ('applied', 'ignored')
    AND (type ~ '^(invoice|price|billing\.meter)\.' OR type IN ('customer.created', 'customer.updated', 'customer.deleted'));

DROP TABLE old_subscription_item, old_subscription, old_invoice;
