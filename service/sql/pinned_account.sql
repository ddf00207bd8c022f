-- Which Stripe account and mode this ledger belongs to, and whether the breaker is open.
SELECT account, stripe_account, is_live, paused_until, pause_reason, openings
FROM account
WHERE account = %(account)s
