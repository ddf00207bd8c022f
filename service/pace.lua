-- One bucket of calls shared by all workers: what was answered is weighed, the rate follows, and a token is given.
-- The law and its reasons stand in `limiter.py`. KEYS[1] the bucket. ARGV: the full rate a second; burst in calls; longest
-- wait in microseconds, negative when no token is wanted; how many calls passed and how many were limited since the caller
-- last said so; the share of the full rate to begin anew with, or 0; the time in microseconds, or '' for Redis' own; how
-- many microseconds ago a token was ready that its holder gives back unused, or 0.
-- Returns the microseconds to wait before calling, or -1 where no token was taken; 1 when the rate was lowered now; the time.
local SECOND = 1000000
local ANSWERS_MIN, WINDOW_MIN, WINDOW_MAX = 100, SECOND / 4, 10 * SECOND -- fewer answers say too little, older ones too
local TRY_ANSWERS_MIN = 60 -- a try costs calls, and its question is only whether half of the 429s are gone
local SETTLES_AFTER = SECOND / 2 -- from the last token given at the old rate until its answer is certainly in
local TOLERATED, LIKELY_MIN, DEVIATIONS = 0.04, 0.01, 3 -- how far above the believed share one is blamed on our rate
local BELIEVED_MAX, BELIEVED_FOR, HEARD_MAX = 0.75, 60 * SECOND, 400
local BELOW_CEILING = 0.9
local GROWTH_S_MAX, IDLE = 60, 3 * SECOND
local AHEAD_MAX = 61 * SECOND -- of what is kept: no call waits longer, and no belief holds longer
local SLOTS, RING, OF_A_SLOT_MAX, ABOUT = 50, 512, 10000, 5 -- tokens are counted by fiftieths of a second, for some ten seconds
local SECOND_MAX = 1.04 -- of the rate, in the 51 slots that hold any second: the permitted rate, less some lateness

local time = redis.call('TIME')
local now = tonumber(ARGV[7]) or (time[1] * SECOND + time[2])
local full, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local names = { 'rate', 'ceiling', 'next', 'seen', 'since', 'passed', 'limited', 'former', 'blamed', 'base', 'heard', 'until', 'crowded' }
-- Whoever can write to Redis may have put anything here: what is no bucket is begun anew, and what is no number is none.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local function sound(told)
    local number = tonumber(told)
    if number and number >= 0 and number < 2 ^ 53 then return number end
end
local kept, bucket = redis.call('HMGET', KEYS[1], unpack(names)), {}
for i, name in ipairs(names) do bucket[name] = sound(kept[i]) end
local rate = math.max(1, math.min(full, bucket.rate or full))
local ceiling = math.min(full, bucket.ceiling or full)
local due, seen, since = bucket.next or 0, bucket.seen or now, bucket.since or now
local passed, limited = bucket.passed or 0, bucket.limited or 0
local former, blamed = bucket.former or 0, bucket.blamed or 0 -- the rate before a lower one is tried, and why it is
local base, heard, believed_until = math.min(bucket.base or 0, BELIEVED_MAX), math.max(1, bucket.heard or HEARD_MAX), bucket['until'] or 0 -- the share that is not our rate's
local crowded = math.min(bucket.crowded or 0, now + 4 * SECOND) -- until then a second may hold tokens given for late ones
local lowered = 0

if seen > now then -- the clock went back: what lies ahead goes back with it, else nothing would be due until it comes round
    due, since, believed_until = due - (seen - now), since - (seen - now), believed_until - (seen - now)
    seen = now
end
due, since, believed_until = math.min(due, now + AHEAD_MAX), math.min(since, now + AHEAD_MAX), math.min(believed_until, now + AHEAD_MAX)

if now - seen > IDLE then passed, limited, since = 0, 0, math.max(since, now) end -- nobody called: it is no stretch

local left = former > 0 and 0 or math.min((now - seen) / SECOND, GROWTH_S_MAX) -- not while a lower rate is tried
while left > 0 do
    local step = math.min(left, 1)
    rate = math.min(full, rate + step * (0.01 * rate + 0.1 * math.abs(ceiling - rate)))
    left = left - step
end

if now >= since then -- an answer to a call of before the last change says nothing about it
    passed, limited = passed + tonumber(ARGV[4]), limited + tonumber(ARGV[5])
end
local answers, stretch = passed + limited, now - since
local wanted = former > 0 and TRY_ANSWERS_MIN or ANSWERS_MIN
if answers > 0 and (stretch >= WINDOW_MAX or stretch >= WINDOW_MIN and answers >= wanted) then
    if now >= believed_until then base = 0 end -- tried anew
    local share = limited / answers
    local excess = math.max(0, (share - base) / (1 - base))
    local likely = math.max(base, LIKELY_MIN)
    local noise = DEVIATIONS * math.sqrt(likely * (1 - likely) * (1 / heard + 1 / answers))
    since = now
    if former > 0 and share <= BELIEVED_MAX and excess > blamed / 2 then -- fewer calls, as many 429s: it is not our rate
        base, heard, believed_until = share, answers, now + BELIEVED_FOR
        rate, ceiling, former = former, full, 0
    elseif share - base > TOLERATED + noise then
        if former == 0 then former = rate end
        local used = due > now and rate or math.min(rate, answers * SECOND / stretch) -- who waits for tokens uses them all
        if passed > 0 then ceiling = used * (1 - excess) end
        rate = math.max(1, rate / 16, passed > 0 and ceiling * BELOW_CEILING or 0)
        since = math.max(now, due) + SETTLES_AFTER
        blamed, lowered = excess, 1
    elseif share + noise < base then
        base, heard, former = share, answers, 0
    else
        if base > 0 then base = (base * heard + share * answers) / (heard + answers) end
        heard, former = math.min(HEARD_MAX, heard + answers), 0
    end
    passed, limited = 0, 0
end

local anew = tonumber(ARGV[6])
if anew > 0 then rate, ceiling, base, former, passed, limited, since = full * anew, full, 0, 0, 0, 0, now end

local function field(slot) return 'slot:' .. slot % RING end
local function whole(number) return string.format('%.0f', number) end
local function tokens_of(slot, told)
    told = sound(told) or 0
    return math.floor(told / OF_A_SLOT_MAX) == slot and told % OF_A_SLOT_MAX or 0
end
local function give(slot, tokens)
    local told = tokens_of(slot, redis.call('HGET', KEYS[1], field(slot)))
    redis.call('HSET', KEYS[1], field(slot), whole(slot * OF_A_SLOT_MAX + math.max(0, told + tokens)))
end

-- The first slot from `start` on in which one more token leaves no second with too many; nil: none within a second.
local function free_from(start)
    local names, tokens, sum, free = {}, {}, 0, SLOTS + 1
    for slot = start - SLOTS, start + 2 * SLOTS do table.insert(names, field(slot)) end
    for i, told in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
        tokens[i] = tokens_of(start - SLOTS + i - 1, told)
        sum = sum + tokens[i] - (tokens[i - SLOTS - 1] or 0)
        if i > SLOTS and sum + 1 > SECOND_MAX * rate then free = i + 1 end -- so many in the second up to here
        if i >= free + SLOTS then return start + free - SLOTS - 1 end
    end
end

-- Takes the token of `late` microseconds ago back, or one of about its time: they are alike, and asking took a moment.
local function take_back(late)
    local here = math.floor(now / SECOND * SLOTS)
    local its = here - math.floor(late / SECOND * SLOTS)
    for away = 0, ABOUT do
        for _, slot in ipairs({ its + away, its - away }) do
            if slot <= here and tokens_of(slot, redis.call('HGET', KEYS[1], field(slot))) > 0 then
                give(slot, -1)
                return free_from(here)
            end
        end
    end
end

local wait = -1
local gap = SECOND / rate
local late = tonumber(ARGV[8])
local instead = late > 0 and late < SECOND and take_back(late)
if instead then
    give(instead, 1)
    wait = math.floor(math.max(0, instead / SLOTS * SECOND - now))
    crowded = math.max(crowded, now + wait + SECOND)
elseif longest >= 0 then
    due = math.max(due, now - burst * gap)
    if due < crowded then -- what was given for a late one comes first
        local slot = math.floor(math.max(now, due) / SECOND * SLOTS)
        local free = free_from(slot) or slot + SLOTS
        if free > slot then due = free / SLOTS * SECOND end
    end
    if due - now <= longest then
        wait = math.max(0, math.floor(due - now))
        give(math.floor((now + wait) / SECOND * SLOTS), 1)
        due = due + gap
    end
end
redis.call('HSET', KEYS[1], 'rate', tostring(rate), 'ceiling', tostring(ceiling), 'next', whole(due), 'seen', whole(now),
    'since', whole(since), 'passed', whole(passed), 'limited', whole(limited), 'base', tostring(base),
    'former', tostring(former), 'blamed', tostring(blamed), 'heard', whole(heard), 'until', whole(believed_until), 'crowded', whole(crowded))
redis.call('EXPIRE', KEYS[1], 3600)
return { wait, lowered, whole(now) }
