-- One token of a bucket shared by all workers (a leaky bucket kept as one number: the time the next call is due).
-- KEYS[1] the bucket; ARGV: full rate a second, burst in calls, longest wait in microseconds. Returns how many
-- microseconds to wait before calling, or -1, with no token taken, when that is longer than the longest wait.
-- The rate grows back by a tenth of the full rate every second after a slow-down.
-- A clock that went back (`grown` is when it was last read) takes the due time back with it, and that is kept at once:
-- else nothing would be due until the old time comes round again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local state = redis.call('HMGET', KEYS[1], 'rate', 'next', 'grown')
local rate = math.min(full, tonumber(state[1] or full))
local due, grown = tonumber(state[2] or 0), tonumber(state[3] or now)
if grown > now then
    due, grown = due - (grown - now), now
    redis.call('HSET', KEYS[1], 'next', string.format('%.0f', due), 'grown', string.format('%.0f', now))
end
rate = math.min(full, rate + full * 0.1 * (now - grown) / 1000000)
local gap = 1000000 / rate
due = math.max(due, now - burst * gap)
if due - now > tonumber(ARGV[3]) then return -1 end
redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'next', string.format('%.0f', due + gap), 'grown', string.format('%.0f', now))
redis.call('EXPIRE', KEYS[1], 3600)
return math.max(0, math.floor(due - now))
