-- Takes some users from a gateway whose lease has ended, and forgets the gateway with the last of them.
--
-- KEYS[1]  zset  gateway -> when its lease ends (ms), 0 once it has left
-- KEYS[2]  hash  gateway -> number of its newest report
-- KEYS[3]  hash  user -> how many gateways hold the user
-- KEYS[4]  set   the users of this gateway
-- ARGV[1]  gateway
-- ARGV[2]  length of a lease (ms)
-- ARGV[3]  how many users to take at most (up to 1000)
--
-- Returns {1 if some are left, now, when its users were last known to be there, went offline}.
-- A gateway whose lease lives, because it came back meanwhile, keeps its users: {0, now, now, {}}.

local leases, numbers, counts, users = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local gateway, lease_ms, limit = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local now = now_ms()
local ends = tonumber(redis.call('ZSCORE', leases, gateway) or now + 1)
if ends > now then
  return {0, now, now, {}}
end

local seen = now
if ends > 0 then
  seen = ends - lease_ms
end

local offline = {}
count(counts, redis.call('SPOP', users, limit), -1, offline)

local more = redis.call('EXISTS', users)
if more == 0 then
  redis.call('ZREM', leases, gateway)
  redis.call('HDEL', numbers, gateway)
end
return {more, now, seen, offline}
