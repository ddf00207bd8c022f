-- The breaker: a key that is refused would turn every meter event into a failure. Nothing is tried until this time.
UPDATE account
SET paused_until = ledger_now() + %(wait)s, pause_reason = %(reason)s
WHERE account = %(account)s AND coalesce(paused_until, '-infinity') < ledger_now()
