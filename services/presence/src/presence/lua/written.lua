-- Forgets when some users were last there, unless they went again meanwhile.
--
-- ARGV[4]   how many users
-- ARGV[5..] users, then when each was last there (ms)

local number = tonumber(ARGV[4])
local place = 5 + number
in_pieces(ARGV, 5, 4 + number, function(some)
  local written = {}
  for i, seen in ipairs(redis.call('HMGET', unwritten, unpack(some))) do
    if seen == ARGV[place] then
      written[#written + 1] = some[i]
    end
    place = place + 1
  end
  on('HDEL', unwritten, written)
end)
return 0
