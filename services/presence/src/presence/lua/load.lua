-- Takes users' choices from PostgreSQL, except where the store has a newer one.
--
-- ARGV[4]   name of the loader; if the store lost its data after the first piece, the loader must begin again
-- ARGV[5]   '1' for the first piece
-- ARGV[6]   '1' for the last piece
-- ARGV[7..] user, version, flags, user, ...
--
-- Returns 1, or 0 if the loader must begin again.

local loader, first, last = 'loader ' .. ARGV[4], ARGV[5] == '1', ARGV[6] == '1'
if first then
  redis.call('HSET', marks, loader, 1)
elseif not redis.call('HGET', marks, loader) then
  return 0
end
for i = 7, #ARGV, 3 do
  local known = redis.call('HGET', choices, ARGV[i])
  if not known or tonumber(string.match(known, '^%d+')) < tonumber(ARGV[i + 1]) then
    redis.call('HSET', choices, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  end
end
if last then
  redis.call('HDEL', marks, loader)
  redis.call('HSET', marks, 'loaded', 1)
end
return 1
