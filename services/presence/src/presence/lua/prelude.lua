-- Comes before every other script: the keys, the clock, and what others see of users whose gateways change.
--
-- KEYS[1]   zset  gateway -> when its lease ends (ms), 0 once it has left
-- KEYS[2]   hash  gateway -> number of its newest report
-- KEYS[3]   hash  gateway -> how many sockets it holds
-- KEYS[4]   hash  user -> how many gateways hold him, times HOLD, and on how many he is active
-- KEYS[5]   hash  user -> 'online' or 'away', as others see him; nobody else is here for them
-- KEYS[6]   zset  user held by no gateway, and still seen -> when that ends (ms)
-- KEYS[7]   hash  the same users -> when they were last known to be there (ms)
-- KEYS[8]   hash  user -> 'version flags' of those who ever chose anything
-- KEYS[9]   hash  version: of the newest change; looked: when somebody last swept (ms); since: when presence
--                 came to know something (ms); loaded: 1 once all choices are here
-- KEYS[10]  hash  user who went -> when he was last known to be there (ms), until that is in PostgreSQL
-- KEYS[11]  hash  the users of one gateway -> '1' active, '0' away
-- ARGV[1]   length of a lease (ms)
-- ARGV[2]   grace: how long a user is seen after his last socket went (ms)
-- ARGV[3]   how long after `since` a gateway may not have reported yet (ms)
-- ARGV[4..] of the script
--
-- Changes are returned flat: user, status, when last known to be there, flags.
-- Works on many users by few commands, since Redis serves nobody else meanwhile. Users stay strings
-- throughout: a Lua number can't hold every 64-bit id.

local leases, numbers, sockets, counts, shown, leaving, left, choices, marks, unwritten, users = unpack(KEYS)
local lease_ms, grace_ms, settle_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local AT_ONCE = 1000  -- Lua's stack bounds the arguments of one command.
local HOLD = 1000000
local UNWRITTEN_MAX = 1000000  -- PostgreSQL may be away for long; those who go then are noted less exactly.
local INVISIBLE = 1  -- The lowest bit of the flags.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- From then on every gateway that lives has reported.
local certain = (tonumber(redis.call('HGET', marks, 'since')) or now) + settle_ms
local changes = {}

-- Calls step with the elements first..last of list in pieces.
local function in_pieces(list, first, last, step)
  for start = first, last, AT_ONCE do
    step({unpack(list, start, math.min(start + AT_ONCE - 1, last))})
  end
end

-- Runs a command on many members of a key, if there are any.
local function on(command, key, some)
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

-- Brings what is seen of some users, all different, into line with how many gateways hold them and on how many
-- they are active. Those whom none holds were last there at `seen`, and are seen until their grace is over.
local function show(some, held, active, seen)
  local before = redis.call('HMGET', shown, unpack(some))
  local chosen = redis.call('HMGET', choices, unpack(some))
  local ends = math.max(seen + grace_ms, certain)
  local set, unset, staying, stayed, back = {}, {}, {}, {}, {}
  for i, user in ipairs(some) do
    local old, new, flags = before[i], false, flags_of(chosen[i])
    if held[i] > 0 and not is_invisible(flags) then
      new = active[i] > 0 and 'online' or 'away'
    elseif old and ends > now and not is_invisible(flags) then
      new = old
      staying[#staying + 1], staying[#staying + 2] = ends, user
      stayed[#stayed + 1], stayed[#stayed + 2] = user, seen
    end
    if new and new ~= old then
      set[#set + 1], set[#set + 2] = user, new
    elseif old and not new then
      unset[#unset + 1] = user
    end
    if old and (held[i] > 0 or not new) then
      back[#back + 1] = user
    end
    if new ~= old then
      add_change(user, new or 'offline', seen, flags)
    end
  end
  on('HSET', shown, set)
  on('HDEL', shown, unset)
  on('ZADD', leaving, staying)
  on('HSET', left, stayed)
  on('ZREM', leaving, back)
  on('HDEL', left, back)
end

-- Adds to the number of gateways that hold some users, all different, and of those on which they are active.
local function count(some, holds, actives, seen)
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
  on('HSET', counts, set)
  on('HDEL', counts, unset)
  show(some, held, active, seen)
end

-- Keeps when those were last there who are gone by the changes.
local function keep_seen()
  local gone = {}
  for i = 1, #changes, 4 do
    if changes[i + 1] == 'offline' then
      gone[#gone + 1], gone[#gone + 2] = changes[i], changes[i + 2]
    end
  end
  if #gone > 0 and redis.call('HLEN', unwritten) < UNWRITTEN_MAX then
    in_pieces(gone, 1, #gone, function(some) redis.call('HSET', unwritten, unpack(some)) end)
  end
end

local function next_version()
  local version = math.max(now * 1000, (tonumber(redis.call('HGET', marks, 'version')) or 0) + 1)
  redis.call('HSET', marks, 'version', version)
  return version
end

-- What changing scripts return: the version of their changes, the time, the changes.
local function outcome(...)
  keep_seen()
  return {#changes > 0 and next_version() or 0, now, changes, ...}
end
