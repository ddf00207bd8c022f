-- Said before each of the scripts: a key of ours that holds something of another type is kept apart under another name,
-- with all that is in it, before anything moves. A script that came upon it half way would end there, with an item taken
-- from one place and put into none.
local function keep_apart(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    local time = redis.call('TIME')
    redis.call('RENAME', key, key .. '.foreign.' .. time[1] .. time[2])
  end
end
