-- Takes one report of a gateway: updates the counts of its users, and renews its lease.
--
-- ARGV[4]   gateway
-- ARGV[5]   number of the report
-- ARGV[6]   '1' if the report is full: it then names all users of the gateway
-- ARGV[7]   the gateway's number of sockets
-- ARGV[8]   number of active users
-- ARGV[9]   number of users who are away
-- ARGV[10..] active users, users who are away, users who have left the gateway
--
-- Returns the result, then 1 if the report was taken, 0 if a full one is needed, -1 if the choices are missing.

local gateway, number = ARGV[4], tonumber(ARGV[5])
local full, actives, aways = ARGV[6] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST = 10

-- Without the choices, invisible users would be seen for a moment.
if not redis.call('HGET', marks, 'loaded') then
  return result(-1)
end
local ends = tonumber(redis.call('ZSCORE', leases, gateway)) or 0
local newest = tonumber(redis.call('HGET', numbers, gateway)) or 0
if (ends <= now and not full) or number < newest then
  return result(0)
end

-- Sets some users of this gateway to '1' or '0', or removes them if mark is false.
local function set_users(some, mark)
  local changed, holds, active, set, unset, handled = {}, {}, {}, {}, {}, {}
  for i, old in ipairs(redis.call('HMGET', users, unpack(some))) do
    local user = some[i]
    if old ~= mark and not handled[user] then
      handled[user] = true
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
  run_on('HSET', users, set)
  run_on('HDEL', users, unset)
  update_counts(changed, holds, active, now)
end

local last = FIRST + actives + aways - 1
in_pieces(ARGV, FIRST, FIRST + actives - 1, function(some) set_users(some, '1') end)
in_pieces(ARGV, FIRST + actives, last, function(some) set_users(some, '0') end)
local function remove_users(some)
  set_users(some, false)
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
  in_pieces(gone, 1, #gone, remove_users)
else
  in_pieces(ARGV, last + 1, #ARGV, remove_users)
end

redis.call('ZADD', leases, now + lease_ms, gateway)
redis.call('HSET', numbers, gateway, number)
redis.call('HSET', sockets, gateway, ARGV[7])
return result(1)
