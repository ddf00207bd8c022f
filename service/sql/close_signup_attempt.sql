-- The answer, once. Only `lost`, which is an assumption of the next holder, gives way to the answer itself.
UPDATE signup_attempt
SET ended_at = ledger_now(),
    outcome = %(outcome)s,
    status = %(status)s,
    code = %(code)s,
    detail = %(detail)s,
    request_id = %(request_id)s,
    is_replayed = %(is_replayed)s
WHERE signup_attempt_id = %(signup_attempt_id)s AND (ended_at IS NULL OR code = 'lost')
