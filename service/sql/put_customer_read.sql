-- Remembered even when the list was empty: a customer without subscriptions is not asked for at every pass.
INSERT INTO customer (account, customer, subscriptions_read_at)
VALUES (%(account)s, %(customer)s, ledger_now())
ON CONFLICT (account, customer) DO UPDATE
SET subscriptions_read_at = EXCLUDED.subscriptions_read_at
