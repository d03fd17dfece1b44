-- Takes some users offline whose grace period is over.
--
-- ARGV[4]  maximum number of users (up to 1000)
--
-- Returns the result, then 1 if there may be more users, else 0.

local limit = tonumber(ARGV[4])
local some = redis.call('ZRANGEBYSCORE', leaving, '-inf', now, 'LIMIT', 0, limit)
if #some > 0 then
  local seen = redis.call('HMGET', left, unpack(some))
  local chosen = redis.call('HMGET', choices, unpack(some))
  for i, user in ipairs(some) do
    -- The minimum, since the clock may have been set back meanwhile.
    add_change(user, 'offline', math.min(tonumber(seen[i]) or now, now), flags_of(chosen[i]))
  end
  redis.call('ZREM', leaving, unpack(some))
  redis.call('HDEL', left, unpack(some))
  redis.call('HDEL', shown, unpack(some))
end
return result(#some == limit and 1 or 0)
