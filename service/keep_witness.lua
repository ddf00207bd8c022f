-- The newest attempt that any worker of the account opened. Workers come here in another order than they opened them, so
-- an older one never takes the place of a newer. KEYS[1] the witness; ARGV: attempt id, its key, the ledger's time.
-- What is no witness, or none that we can have written, is replaced: it would keep every call from being made.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local newest = tonumber(redis.call('HGET', KEYS[1], 'attempt_id') or 0) or 0
if not (newest <= 2 ^ 53) then newest = 0 end
if tonumber(ARGV[1]) <= newest then return 0 end
redis.call('HSET', KEYS[1], 'attempt_id', ARGV[1], 'idempotency_key', ARGV[2], 'at', ARGV[3])
return 1
