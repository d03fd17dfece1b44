-- Takes some users from a gateway whose lease has ended, and forgets the gateway with the last of them.
--
-- ARGV[4]  gateway
-- ARGV[5]  how many users to take at most (up to 1000)
--
-- Returns the outcome, then 1 if some are left. A gateway whose lease lives, because it came back meanwhile,
-- keeps its users.

local gateway, limit = ARGV[4], ARGV[5]

local ends = tonumber(redis.call('ZSCORE', leases, gateway)) or now + 1
if ends > now then
  return outcome(0)
end
local seen = ends > 0 and ends - lease_ms or now

local some, holds, active = redis.call('HRANDFIELD', users, limit), {}, {}
if #some > 0 then
  for i, mark in ipairs(redis.call('HMGET', users, unpack(some))) do
    holds[i], active[i] = -1, mark == '1' and -1 or 0
  end
  redis.call('HDEL', users, unpack(some))
  count(some, holds, active, seen)
end

local more = redis.call('EXISTS', users)
if more == 0 then
  redis.call('ZREM', leases, gateway)
  redis.call('HDEL', numbers, gateway)
  redis.call('HDEL', sockets, gateway)
end
return outcome(more)
