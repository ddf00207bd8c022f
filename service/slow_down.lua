-- Halve the rate of a bucket after a limiter's 429: once a second at most, because one burst brings many of them, and
-- never below a sixteenth. KEYS[1] the bucket; ARGV: full rate a second. Returns 1 when it was halved now.
-- A time that lies ahead is of a clock that went back since: `halved` counts no more, and `grown` is kept as it is,
-- because `take_token` reads from it by how much the due time must go back.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = tonumber(ARGV[1])
local state = redis.call('HMGET', KEYS[1], 'rate', 'halved', 'grown')
local since = now - tonumber(state[2] or 0)
if since >= 0 and since < 1000000 then return 0 end
local rate = math.max(full / 16, tonumber(state[1] or full) / 2)
local grown = math.max(now, tonumber(state[3] or now))
redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'halved', string.format('%.0f', now), 'grown', string.format('%.0f', grown))
return 1
