-- Moves up to ARGV[1] items from the queue into the unacked hash and its index, and returns them as tag, item, …
-- One script, because stock kombu removes the item first and writes it to `unacked` in a second call: a consumer
-- killed in between loses it. Tags are made by the claimer, never read from the item: a late ack can only remove its
-- own claim, and two items that name the same tag cannot overwrite each other. The server's clock counts, not ours.
-- RPOP comes before HSET, because a full server refuses a script that begins by adding, and must be able to empty
-- itself.
-- KEYS: queue, unacked, unacked index. ARGV: most items, prefix of the tags.
keep_apart(KEYS[1], 'list')
keep_apart(KEYS[2], 'hash')
keep_apart(KEYS[3], 'zset')
local claimed = {}
local now = redis.call('TIME')
local now_s = tonumber(now[1]) + tonumber(now[2]) / 1000000
for n = 1, tonumber(ARGV[1]) do
  local item = redis.call('RPOP', KEYS[1])
  if not item then
    break
  end
  local tag = ARGV[2] .. n
  redis.call('HSET', KEYS[2], tag, item)
  redis.call('ZADD', KEYS[3], now_s, tag)
  claimed[#claimed + 1] = tag
  claimed[#claimed + 1] = item
end
return claimed
