-- Comes before every other script: the clock, and counting on how many gateways users are.
--
-- Works on many users by few commands, since Redis serves nobody else meanwhile. Users stay strings
-- throughout: a Lua number can't hold every 64-bit id.

local AT_ONCE = 1000  -- Lua's stack bounds the arguments of one command.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Calls step with the elements first..last of list in pieces.
local function in_pieces(list, first, last, step)
  for start = first, last, AT_ONCE do
    step({unpack(list, start, math.min(start + AT_ONCE - 1, last))})
  end
end

-- Adds 1 or -1 to the number of gateways of each of some users, all different.
-- Appends to crossed those who came online by that, or went offline.
local function count(counts, users, by, crossed)
  if #users == 0 then
    return
  end
  local set, unset = {}, {}
  for i, old in ipairs(redis.call('HMGET', counts, unpack(users))) do
    local new = (tonumber(old) or 0) + by
    if new > 0 then
      set[#set + 1] = users[i]
      set[#set + 1] = new
    else
      unset[#unset + 1] = users[i]
    end
    if new == math.max(by, 0) then
      crossed[#crossed + 1] = users[i]
    end
  end
  if #set > 0 then
    redis.call('HSET', counts, unpack(set))
  end
  if #unset > 0 then
    redis.call('HDEL', counts, unpack(unset))
  end
end
