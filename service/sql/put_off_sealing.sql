-- Lanes that cannot be sealed yet (an unknown meter) stand back, so that they do not crowd out the others.
UPDATE unsealed
SET seal_at = ledger_now() + %(wait)s
WHERE lane_id = ANY(%(lane_ids)s) AND seal_at <= ledger_now()
