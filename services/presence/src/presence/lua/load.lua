-- Takes what users chose, as PostgreSQL has it, but for what is newer here.
--
-- ARGV[4]   who loads; if he began and everything was lost meanwhile, he has to begin anew
-- ARGV[5]   '1' with the first users
-- ARGV[6]   '1' with the last ones
-- ARGV[7..] user, version, flags, user, ...
--
-- Returns 1, or 0 if he has to begin anew.

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
