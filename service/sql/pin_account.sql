-- The first key that starts decides which Stripe account and mode this ledger belongs to.
INSERT INTO account (account, stripe_account, is_live)
VALUES (%(account)s, %(stripe_account)s, %(is_live)s)
ON CONFLICT (account) DO NOTHING
