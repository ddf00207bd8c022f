-- Which kinds of alarm are to be asked about; without a lock, because the claim asks again under its own. One that fails
-- is asked the more rarely, since it mostly fails by taking too long.
SELECT w.kind
FROM unnest(%(kinds)s::text[], %(everies)s::interval[]) WITH ORDINALITY AS w (kind, every, place)
LEFT JOIN alarm_question AS q ON (q.account, q.kind) = (%(account)s, w.kind)
WHERE q.asked_at IS NULL OR q.asked_at <= ledger_now() - w.every * (1 + least(q.failures, 5))
ORDER BY q.asked_at NULLS FIRST, w.place
