-- Takes a user's choice, unless the store has a newer one.
--
-- ARGV[4]  user
-- ARGV[5]  version of the choice
-- ARGV[6]  its flags
--
-- Returns the result, then 1 if others see a difference, else 0. Without a difference, the one change says how
-- the user is seen; there is no change if the store had a newer choice.

local user, flags = ARGV[4], tonumber(ARGV[6])
local known = redis.call('HGET', choices, user)
if known and tonumber(string.match(known, '^%d+')) > tonumber(ARGV[5]) then
  return result(0)
end
redis.call('HSET', choices, user, ARGV[5] .. ' ' .. ARGV[6])

local value = tonumber(redis.call('HGET', counts, user)) or 0
local held = math.floor(value / HOLD)
update_shown({user}, {held}, {value % HOLD}, held > 0 and now or tonumber(redis.call('HGET', left, user)) or now)
if held > 0 then
  -- A user who chooses is online now. Their gateway's last report may be older.
  redis.call('HSET', left, user, now)
end
if #changes > 0 then
  return result(1)
end
local unchanged = result(0)
unchanged[1] = next_version()
unchanged[3] = {user, redis.call('HGET', shown, user) or 'offline', now, flags}
return unchanged
