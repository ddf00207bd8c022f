-- Moves claimed items, which no consumer can read, to the list of garbled items, byte for byte.
-- One script, so that a kill in between neither loses nor doubles one, and a flood of them costs one round trip a claim.
-- The items come without the mark of a redelivery, and from the claimer, who has them already.
-- KEYS: unacked, unacked index, garbled. ARGV: tag, item, tag, item, …
keep_apart(KEYS[1], 'hash')
keep_apart(KEYS[2], 'zset')
keep_apart(KEYS[3], 'list')
for n = 1, #ARGV, 2 do
  if redis.call('HDEL', KEYS[1], ARGV[n]) == 1 then
    redis.call('LPUSH', KEYS[3], ARGV[n + 1])
  end
  redis.call('ZREM', KEYS[2], ARGV[n])
end
