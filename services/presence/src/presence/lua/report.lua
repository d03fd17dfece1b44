-- Takes one report of a gateway: counts its users in and out, and renews its lease.
--
-- ARGV[4]   gateway
-- ARGV[5]   number of the report
-- ARGV[6]   '1' if the report is full: then those who are here are all of its users
-- ARGV[7]   how many sockets it holds
-- ARGV[8]   how many users are active
-- ARGV[9]   how many are away
-- ARGV[10..] users who are active, users who are away, users who went
--
-- Returns the outcome, then 1 if the report was taken, 0 if only a full one helps, -1 if choices aren't loaded.

local gateway, number = ARGV[4], tonumber(ARGV[5])
local full, actives, aways = ARGV[6] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST = 10

-- Else those who chose to be invisible would be seen for a moment.
if not redis.call('HGET', marks, 'loaded') then
  return outcome(-1)
end
local ends = tonumber(redis.call('ZSCORE', leases, gateway)) or 0
local newest = tonumber(redis.call('HGET', numbers, gateway)) or 0
if (ends <= now and not full) or number < newest then
  return outcome(0)
end

-- Sets some users to '1' or '0' here, or to false, which is gone.
local function put(some, mark)
  local changed, holds, active, set, unset, met = {}, {}, {}, {}, {}, {}
  for i, old in ipairs(redis.call('HMGET', users, unpack(some))) do
    local user = some[i]
    if old ~= mark and not met[user] then
      met[user] = true
      local n = #changed + 1
      changed[n] = user
      holds[n] = (mark and 1 or 0) - (old and 1 or 0)
      active[n] = (mark == '1' and 1 or 0) - (old == '1' and 1 or 0)
      if mark then
        set[#set + 1], set[#set + 2] = user, mark
      else
        unset[#unset + 1] = user
      end
    end
  end
  on('HSET', users, set)
  on('HDEL', users, unset)
  count(changed, holds, active, now)
end

local last = FIRST + actives + aways - 1
in_pieces(ARGV, FIRST, FIRST + actives - 1, function(some) put(some, '1') end)
in_pieces(ARGV, FIRST + actives, last, function(some) put(some, '0') end)
local function close(some)
  put(some, false)
end
if full then
  local present, gone = {}, {}
  for i = FIRST, last do
    present[ARGV[i]] = true
  end
  for _, user in ipairs(redis.call('HKEYS', users)) do
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
redis.call('HSET', sockets, gateway, ARGV[7])
return outcome(1)
