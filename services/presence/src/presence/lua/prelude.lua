-- Is prepended to every other script. Defines the keys, the clock, and how others see users.
--
-- A gateway holds a user while it has at least one socket of that user.
--
-- KEYS[1]   zset  gateway -> when its lease ends (ms), 0 once it has left
-- KEYS[2]   hash  gateway -> number of its newest report
-- KEYS[3]   hash  gateway -> its number of sockets
-- KEYS[4]   hash  user -> number of gateways that hold the user, times HOLD, plus number with the user active
-- KEYS[5]   hash  user -> 'online' or 'away', as others see the user; all other users are seen as offline
-- KEYS[6]   zset  user in a grace period (held by no gateway, still seen) -> when it ends (ms)
-- KEYS[7]   hash  user -> when last known to be online (ms): for users in a grace period, users who came back
--                 since, and users who chose something. A lease that expires later must not set an earlier time.
-- KEYS[8]   hash  user -> 'version flags' of the newest choice
-- KEYS[9]   hash  version: of the newest change; looked: when the last sweep began (ms); since: when presence
--                 last began to collect reports (ms); loaded: 1 once the choices are loaded; claim TASK: when
--                 a worker last claimed this task (ms); loader NAME: 1 while this worker loads the choices
-- KEYS[10]  hash  user who went offline -> when last known to be online (ms), until PostgreSQL has it
-- KEYS[11]  hash  user of one gateway -> '1' active, '0' away
-- ARGV[1]   length of a lease (ms)
-- ARGV[2]   grace period: how long a user without sockets is still seen (ms)
-- ARGV[3]   time after `since` in which gateways may not have reported yet (ms)
-- ARGV[4..] the script's own arguments
--
-- Changes are returned flat: user, status, when last known to be online (ms), flags.
-- Scripts use few commands for many users, since a script blocks Redis. User ids stay strings: a Lua number
-- can't hold every 64-bit id.

local leases, numbers, sockets, counts, shown, leaving, left, choices, marks, unwritten, users = unpack(KEYS)
local lease_ms, grace_ms, settle_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local MAX_ARGUMENTS = 1000  -- Lua's stack limits the arguments of one command.
local HOLD = 1000000
local MAX_UNWRITTEN = 1000000  -- Bound for a long outage of PostgreSQL; later times are less exact.
local INVISIBLE = 1  -- The lowest bit of the flags.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- From this time on, every live gateway has reported.
local settled_at = (tonumber(redis.call('HGET', marks, 'since')) or now) + settle_ms
local changes = {}

-- Calls step with pieces of list, from element first to last.
local function in_pieces(list, first, last, step)
  for start = first, last, MAX_ARGUMENTS do
    step({unpack(list, start, math.min(start + MAX_ARGUMENTS - 1, last))})
  end
end

-- Runs a command on several members of a key, if there are any.
local function run_on(command, key, some)
  if #some > 0 then
    redis.call(command, key, unpack(some))
  end
end

local function flags_of(choice)
  return choice and tonumber(string.match(choice, ' (%d+)$')) or 0
end

local function is_invisible(flags)
  return flags % 2 == INVISIBLE
end

local function add_change(user, status, seen, flags)
  local n = #changes
  changes[n + 1], changes[n + 2], changes[n + 3], changes[n + 4] = user, status, seen, flags
end

-- Updates how others see some users, all different. `held` and `active` are, for each user, the numbers of
-- gateways that hold them and on which they are active. Users whom no gateway holds were last online at `seen`;
-- their grace period starts then.
local function update_shown(some, held, active, seen)
  local before = redis.call('HMGET', shown, unpack(some))
  local chosen = redis.call('HMGET', choices, unpack(some))
  local known = redis.call('HMGET', left, unpack(some))
  local set, unset, staying, stayed, back, gone = {}, {}, {}, {}, {}, {}
  for i, user in ipairs(some) do
    local old, new, flags = before[i], false, flags_of(chosen[i])
    local last = math.max(seen, tonumber(known[i]) or 0)
    local ends = math.max(last + grace_ms, settled_at)
    if held[i] > 0 and not is_invisible(flags) then
      new = active[i] > 0 and 'online' or 'away'
    elseif old and ends > now and not is_invisible(flags) then
      new = old
      staying[#staying + 1], staying[#staying + 2] = ends, user
      stayed[#stayed + 1], stayed[#stayed + 2] = user, last
    end
    if new and new ~= old then
      set[#set + 1], set[#set + 2] = user, new
    elseif old and not new then
      unset[#unset + 1] = user
    end
    if old and (held[i] > 0 or not new) then
      back[#back + 1] = user
    end
    if held[i] == 0 and not new and known[i] then
      gone[#gone + 1] = user
    end
    if new ~= old then
      add_change(user, new or 'offline', last, flags)
    end
  end
  run_on('HSET', shown, set)
  run_on('HDEL', shown, unset)
  run_on('ZADD', leaving, staying)
  run_on('HSET', left, stayed)
  run_on('ZREM', leaving, back)
  run_on('HDEL', left, gone)
end

-- Adds to the numbers of gateways that hold some users, all different, and on which they are active.
local function update_counts(some, holds, actives, seen)
  if #some == 0 then
    return
  end
  local held, active, set, unset = {}, {}, {}, {}
  for i, old in ipairs(redis.call('HMGET', counts, unpack(some))) do
    local value = tonumber(old) or 0
    held[i] = math.floor(value / HOLD) + holds[i]
    active[i] = value % HOLD + actives[i]
    if held[i] > 0 then
      set[#set + 1], set[#set + 2] = some[i], held[i] * HOLD + active[i]
    else
      unset[#unset + 1] = some[i]
    end
  end
  run_on('HSET', counts, set)
  run_on('HDEL', counts, unset)
  update_shown(some, held, active, seen)
end

-- Stores the last-seen times of users whom the changes take offline.
local function store_last_seen()
  local gone = {}
  for i = 1, #changes, 4 do
    if changes[i + 1] == 'offline' then
      gone[#gone + 1], gone[#gone + 2] = changes[i], changes[i + 2]
    end
  end
  if #gone > 0 and redis.call('HLEN', unwritten) < MAX_UNWRITTEN then
    in_pieces(gone, 1, #gone, function(some) redis.call('HSET', unwritten, unpack(some)) end)
  end
end

local function next_version()
  local version = math.max(now * 1000, (tonumber(redis.call('HGET', marks, 'version')) or 0) + 1)
  redis.call('HSET', marks, 'version', version)
  return version
end

-- The result of a script that makes changes: their version, the time (ms), the changes, the script's values.
local function result(...)
  store_last_seen()
  return {#changes > 0 and next_version() or 0, now, changes, ...}
end
