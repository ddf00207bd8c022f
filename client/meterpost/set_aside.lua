-- Moves one claimed item, which no consumer can read, to the list of garbled items, byte for byte.
-- One script, so that a kill in between neither loses nor doubles it. ARGV[2] is the item without the mark of a
-- redelivery; it comes from the claimer, who has it already.
-- KEYS: unacked, unacked index, garbled. ARGV: tag, item.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then
  redis.call('LPUSH', KEYS[3], ARGV[2])
end
return redis.call('ZREM', KEYS[2], ARGV[1])
