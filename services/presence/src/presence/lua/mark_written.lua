-- Removes last-seen times that PostgreSQL has now, unless a later one has replaced them meanwhile.
--
-- ARGV[4]   number of users
-- ARGV[5..] users, then when each was last seen (ms)

local number = tonumber(ARGV[4])
local index = 5 + number
in_pieces(ARGV, 5, 4 + number, function(some)
  local written = {}
  for i, seen in ipairs(redis.call('HMGET', unwritten, unpack(some))) do
    if seen == ARGV[index] then
      written[#written + 1] = some[i]
    end
    index = index + 1
  end
  run_on('HDEL', unwritten, written)
end)
return 0
