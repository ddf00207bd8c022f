-- Puts claimed items back to where they are claimed next, marked as redelivered, and returns how many: those of the
-- tags that are given, or else those claimed longer ago than the visibility timeout, whose consumer is dead or so slow
-- that a second delivery is the lesser evil (rows are recorded once by their unique key).
-- One script and no mutex: stock kombu holds a lock of 300 s meanwhile, and one that is killed there stops all
-- redelivery for as long. The queue is named by its key, so that no binding can be missing. HDEL comes before RPUSH,
-- because a full server refuses a script that begins by adding, and must be able to empty itself.
-- KEYS: queue, unacked, unacked index. ARGV: the mark, visibility timeout in seconds, most items, then any tags.
keep_apart(KEYS[1], 'list')
keep_apart(KEYS[2], 'hash')
keep_apart(KEYS[3], 'zset')
local tags = {unpack(ARGV, 4)}
if #tags == 0 then
  local now = redis.call('TIME')
  local expired_s = tonumber(now[1]) + tonumber(now[2]) / 1000000 - tonumber(ARGV[2])
  tags = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', expired_s, 'LIMIT', 0, tonumber(ARGV[3]))
end
local restored = 0
for n = #tags, 1, -1 do
  local item = redis.call('HGET', KEYS[2], tags[n])
  if item then
    if string.sub(item, 1, #ARGV[1]) ~= ARGV[1] then
      item = ARGV[1] .. item
    end
    redis.call('HDEL', KEYS[2], tags[n])
    redis.call('RPUSH', KEYS[1], item)
    restored = restored + 1
  end
  redis.call('ZREM', KEYS[3], tags[n])
end
return restored
