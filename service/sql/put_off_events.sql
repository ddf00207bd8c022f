-- Guarded by the state: another holder of the claim may have closed the event meanwhile.
UPDATE event
SET failures = put_off.failures,
    reason = put_off.reason,
    state = CASE WHEN put_off.failures < %(failures_max)s THEN 'received' ELSE 'failed' END,
    due_at = CASE WHEN put_off.failures < %(failures_max)s THEN ledger_now() + put_off.wait END
FROM unnest(%(event_ids)s::text[], %(waits)s::interval[], %(reasons)s::text[], %(failures)s::integer[])
    AS put_off (event_id, wait, reason, failures)
WHERE event.account = %(account)s AND event.event_id = put_off.event_id AND event.state = 'received'
