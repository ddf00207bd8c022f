-- An alarm that has grown is posted again, and more than once: with each post the figures that it told, by which the next
-- one is measured.
ALTER TABLE alarm_post
    ADD COLUMN rows bigint NOT NULL DEFAULT 0,
    ADD COLUMN amount bigint,               -- in the currency's minor unit; null: no price was known
    ADD COLUMN currency text,
    DROP CONSTRAINT alarm_post_alarm_id_what_key,
    DROP CONSTRAINT alarm_post_what_check,
    ADD CONSTRAINT alarm_post_what_check
        CHECK (what IN ('raised', 'changed', 'escalated', 'acknowledged', 'cleared')),
    ADD CONSTRAINT money_was_whole CHECK ((amount IS NULL) = (currency IS NULL));
CREATE UNIQUE INDEX alarm_post_once ON alarm_post (alarm_id, what) WHERE what <> 'changed';
CREATE INDEX alarm_post_of ON alarm_post (alarm_id, n);

-- What was told before stands in its body.
UPDATE alarm_post AS p
SET rows = (t.alarm ->> 'rows')::bigint,
    amount = (t.alarm #>> '{money,amount}')::bigint,
    currency = t.alarm #>> '{money,currency}'
FROM (SELECT post_id, body::jsonb -> 'alarm' AS alarm FROM alarm_post) AS t
WHERE t.post_id = p.post_id;

CREATE TRIGGER alarm_post_figures_are_immutable BEFORE UPDATE OF rows, amount, currency ON alarm_post
    FOR EACH ROW EXECUTE FUNCTION refuse_change('what is posted never changes');
