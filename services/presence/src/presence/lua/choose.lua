-- Takes what a user chose, unless something newer is here.
--
-- ARGV[4]  user
-- ARGV[5]  version of the choice
-- ARGV[6]  its flags
--
-- Returns the outcome, then 1 if others see him otherwise than before; else its one change says how they do, or
-- there is none, since something newer was here.

local user, flags = ARGV[4], tonumber(ARGV[6])
local known = redis.call('HGET', choices, user)
if known and tonumber(string.match(known, '^%d+')) > tonumber(ARGV[5]) then
  return outcome(0)
end
redis.call('HSET', choices, user, ARGV[5] .. ' ' .. ARGV[6])

local value = tonumber(redis.call('HGET', counts, user)) or 0
local seen = tonumber(redis.call('HGET', left, user)) or now
show({user}, {math.floor(value / HOLD)}, {value % HOLD}, seen)
if #changes > 0 then
  return outcome(1)
end
local told = outcome(0)
told[1] = next_version()
told[3] = {user, redis.call('HGET', shown, user) or 'offline', now, flags}
return told
