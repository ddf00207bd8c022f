-- Looked at again after a while, when the customer's subscriptions are asked for anew, or as soon as one of them is
-- learnt (`ring_billed`).
UPDATE unsealed AS u
SET seal_at = ledger_now() + %(wait)s, is_held = true
FROM (SELECT DISTINCT lane_id, bucket FROM kept_back JOIN entry USING (entry_id)) AS k
WHERE (u.lane_id, u.bucket) = (k.lane_id, k.bucket) AND u.seal_at <= ledger_now()
