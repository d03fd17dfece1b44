-- Takes one report of a gateway: counts its users in and out, and renews its lease.
--
-- KEYS[1]   zset  gateway -> when its lease ends (ms), 0 once it has left
-- KEYS[2]   hash  gateway -> number of its newest report
-- KEYS[3]   hash  user -> how many gateways hold the user
-- KEYS[4]   set   the users of this gateway
-- ARGV[1]   gateway
-- ARGV[2]   number of the report
-- ARGV[3]   length of a lease (ms)
-- ARGV[4]   '1' if the report is full: then those who came are all of its users
-- ARGV[5]   how many came
-- ARGV[6..] users who came, then users who went
--
-- Returns {0, now, {}, {}} if the report was refused, else {1, now, came online, went offline}.

local leases, numbers, counts, users = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local gateway, number, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local full, came = ARGV[4] == '1', tonumber(ARGV[5])
local FIRST = 6

local now = now_ms()
local ends = tonumber(redis.call('ZSCORE', leases, gateway) or 0)
local newest = tonumber(redis.call('HGET', numbers, gateway) or 0)
if (ends <= now and not full) or number < newest then
  return {0, now, {}, {}}
end

local online, offline = {}, {}

-- Those of some users whose membership in this gateway's set is as given.
local function members(some, as)
  local found, seen = {}, {}
  for i, is in ipairs(redis.call('SMISMEMBER', users, unpack(some))) do
    if is == as and not seen[some[i]] then
      seen[some[i]] = true
      found[#found + 1] = some[i]
    end
  end
  return found
end

local function open(some)
  local new = members(some, 0)
  if #new > 0 then
    redis.call('SADD', users, unpack(new))
    count(counts, new, 1, online)
  end
end

local function close(some)
  local gone = members(some, 1)
  if #gone > 0 then
    redis.call('SREM', users, unpack(gone))
    count(counts, gone, -1, offline)
  end
end

local last = FIRST + came - 1
in_pieces(ARGV, FIRST, last, open)
if full then
  local present, gone = {}, {}
  for i = FIRST, last do
    present[ARGV[i]] = true
  end
  for _, user in ipairs(redis.call('SMEMBERS', users)) do
    if not present[user] then
      gone[#gone + 1] = user
    end
  end
  in_pieces(gone, 1, #gone, close)
else
  in_pieces(ARGV, last + 1, #ARGV, close)
end

redis.call('ZADD', leases, now + lease_ms, gateway)
redis.call('HSET', numbers, gateway, number)
return {1, now, online, offline}
