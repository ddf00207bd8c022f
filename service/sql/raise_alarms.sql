-- The difference between what is wrong and what stands as wrong, in one statement: raised, renewed, cleared. The question
-- is put in where its name stands, and asked once, under the lock of its row. No more are raised than may be open, and
-- what is open stays so as long as the question names it. What an alarm is worth is looked at anew where anything changed
-- on which that depends. What a person waived is as if it were not named, as long as its rows, its units and the hours
-- of its first and last use are those of then: sealing moves a time within its hour, and no further.
WITH named (
    subject, is_urgent, customer, meter, item, price, stretch_start, rows, units, invoice, since, until, deadline, said
) AS MATERIALIZED (
/* QUESTION */
), asked AS MATERIALIZED (
    SELECT *
    FROM named AS n
    WHERE NOT EXISTS (
        SELECT FROM alarm_waiver AS w
        WHERE (w.account, w.kind, w.subject) = (%(account)s, %(kind)s, n.subject)
            AND (w.rows, w.units) = (n.rows, n.units)
            AND w.since_hour = coalesce(date_bin('1 hour', n.since, 'epoch'), '-infinity')
            AND w.until_hour = coalesce(date_bin('1 hour', n.until, 'epoch'), '-infinity')
    )
), open AS (
    SELECT * FROM alarm WHERE account = %(account)s AND kind = %(kind)s AND cleared_at IS NULL
), cleared AS (
    UPDATE alarm AS a
    SET cleared_at = ledger_now()
    FROM open AS o
    WHERE a.alarm_id = o.alarm_id AND NOT EXISTS (SELECT FROM asked WHERE asked.subject = o.subject)
    RETURNING a.alarm_id
), renewed AS (
    UPDATE alarm AS a
    SET (
        is_urgent, customer, meter, item, price, stretch_start, rows, units, invoice, since, until, deadline, said,
        renewed_at, rated_at
    ) = (
        q.is_urgent, q.customer, q.meter, q.item, q.price, q.stretch_start, q.rows, q.units, q.invoice, q.since, q.until,
        q.deadline, q.said, ledger_now(),
        CASE WHEN (a.customer, a.meter, a.item, a.price, a.stretch_start, a.rows, a.units, a.since, a.until)
            IS NOT DISTINCT FROM
            (q.customer, q.meter, q.item, q.price, q.stretch_start, q.rows, q.units, q.since, q.until)
        THEN a.rated_at END
    )
    FROM asked AS q
    WHERE a.account = %(account)s AND a.kind = %(kind)s AND a.cleared_at IS NULL AND a.subject = q.subject
        AND (
            a.is_urgent, a.customer, a.meter, a.item, a.price, a.stretch_start, a.rows, a.units, a.invoice, a.since,
            a.until, a.deadline, a.said
        ) IS DISTINCT FROM (
            q.is_urgent, q.customer, q.meter, q.item, q.price, q.stretch_start, q.rows, q.units, q.invoice, q.since,
            q.until, q.deadline, q.said
        )
    RETURNING a.alarm_id, a.subject, a.is_urgent
), raised AS (
    INSERT INTO alarm (
        account, kind, subject, is_urgent, customer, meter, item, price, stretch_start, rows, units, invoice, since,
        until, deadline, said
    )
    SELECT %(account)s, %(kind)s, asked.*
    FROM asked
    WHERE asked.subject IS NULL OR NOT EXISTS (SELECT FROM open WHERE open.subject = asked.subject)
    ORDER BY is_urgent DESC, deadline NULLS LAST, since, subject
    LIMIT greatest(0, %(open_max)s - (SELECT count(*) FROM open JOIN asked USING (subject)))
    RETURNING alarm_id
), counted AS (
    SELECT
        (SELECT count(*) FROM asked) AS subjects,
        (SELECT count(*) FROM asked)
            - (SELECT count(*) FROM open JOIN asked USING (subject)) - (SELECT count(*) FROM raised) AS left_out
), answered AS (
    UPDATE alarm_question AS q
    SET answered_at = ledger_now(), subjects = counted.subjects, left_out = counted.left_out, failures = 0, reason = NULL
    FROM counted, alarm_question AS old
    WHERE (q.account, q.kind) = (%(account)s, %(kind)s) AND (old.account, old.kind) = (q.account, q.kind)
    RETURNING q.subjects, q.left_out, old.left_out AS left_out_before, old.failures AS failures_before
)
SELECT
    ARRAY(SELECT alarm_id FROM raised ORDER BY alarm_id) AS raised,
    ARRAY(
        SELECT r.alarm_id FROM renewed AS r JOIN open AS o USING (alarm_id) WHERE r.is_urgent AND NOT o.is_urgent
    ) AS escalated,
    ARRAY(SELECT alarm_id FROM cleared ORDER BY alarm_id) AS cleared,
    (SELECT count(*) FROM renewed) AS renewed,
    subjects, left_out, left_out_before, failures_before
FROM answered
