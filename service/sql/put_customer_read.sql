-- Remembered even when the list was empty: a customer without subscriptions is not asked for at every pass. With it their
-- bell is silenced.
WITH heard AS (
    DELETE FROM unread_customer
    WHERE (account, customer) = (%(account)s, %(customer)s)
)
INSERT INTO customer (account, customer, subscriptions_read_at)
VALUES (%(account)s, %(customer)s, ledger_now())
ON CONFLICT (account, customer) DO UPDATE
SET subscriptions_read_at = EXCLUDED.subscriptions_read_at
