-- Reads how others see users, and their real state.
--
-- ARGV[4..] users
--
-- Returns {version of the newest change, 1 if every gateway has reported and the choices are loaded, then three
-- values for each user: status as others see it, or false; value of KEYS[4], or false; flags}.

local settled = now >= settled_at and redis.call('HEXISTS', marks, 'loaded') == 1
local found = {tonumber(redis.call('HGET', marks, 'version')) or 0, settled and 1 or 0}
in_pieces(ARGV, 4, #ARGV, function(some)
  local seen = redis.call('HMGET', shown, unpack(some))
  local held = redis.call('HMGET', counts, unpack(some))
  local chosen = redis.call('HMGET', choices, unpack(some))
  for i = 1, #some do
    local n = #found
    found[n + 1], found[n + 2], found[n + 3] = seen[i], held[i], flags_of(chosen[i])
  end
end)
return found
