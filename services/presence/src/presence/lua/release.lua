-- Releases some users of a gateway whose lease has expired. Removes the gateway with the last user.
--
-- ARGV[4]  gateway
-- ARGV[5]  maximum number of users (up to 1000)
--
-- Returns the result, then 1 if users are left, else 0. A gateway that came back meanwhile has a valid lease
-- and keeps its users.

local gateway, limit = ARGV[4], ARGV[5]

local ends = tonumber(redis.call('ZSCORE', leases, gateway)) or now + 1
if ends > now then
  return result(0)
end
local seen = ends > 0 and ends - lease_ms or now

local some, holds, active = redis.call('HRANDFIELD', users, limit), {}, {}
if #some > 0 then
  for i, mark in ipairs(redis.call('HMGET', users, unpack(some))) do
    holds[i], active[i] = -1, mark == '1' and -1 or 0
  end
  redis.call('HDEL', users, unpack(some))
  update_counts(some, holds, active, seen)
end

local more = redis.call('EXISTS', users)
if more == 0 then
  redis.call('ZREM', leases, gateway)
  redis.call('HDEL', numbers, gateway)
  redis.call('HDEL', sockets, gateway)
end
return result(more)
