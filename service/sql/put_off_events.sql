-- Guarded by the state: another holder of the claim may have closed the event meanwhile. Each failure is kept with its
-- time and reason, the first of them: an outage of days must not be written down try by try.
WITH put_off AS (
    UPDATE event
    SET failures = told.failures,
        reason = told.reason,
        state = CASE WHEN told.failures < %(failures_max)s THEN 'received' ELSE 'failed' END,
        due_at = CASE WHEN told.failures < %(failures_max)s THEN ledger_now() + told.wait END
    FROM unnest(%(event_ids)s::text[], %(waits)s::interval[], %(reasons)s::text[], %(failures)s::integer[])
        AS told (event_id, wait, reason, failures)
    WHERE event.account = %(account)s AND event.event_id = told.event_id AND event.state = 'received'
    RETURNING event.account, event.event_id, event.reason
), counted AS (
    SELECT account, event_id, p.reason, count(f.n) AS kept
    FROM put_off AS p
    LEFT JOIN event_failure AS f USING (account, event_id)
    GROUP BY account, event_id, p.reason
)
INSERT INTO event_failure (account, event_id, n, reason)
SELECT account, event_id, kept + 1, reason
FROM counted
WHERE kept < %(kept_max)s
