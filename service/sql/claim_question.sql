-- The row stays locked until the commit: who comes meanwhile waits, and finds that it was asked. What is asked next in
-- this transaction is ended after a while, so that one slow question does not keep the others.
INSERT INTO alarm_question AS q (account, kind, asked_at)
VALUES (%(account)s, %(kind)s, ledger_now())
ON CONFLICT (account, kind) DO UPDATE
SET asked_at = EXCLUDED.asked_at
WHERE q.asked_at <= EXCLUDED.asked_at - %(every)s::interval * (1 + least(q.failures, 5))
RETURNING set_config('statement_timeout', %(timeout_ms)s::text, true)
