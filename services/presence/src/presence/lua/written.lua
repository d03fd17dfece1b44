-- Forgets when some users were last there, unless they went again meanwhile.
--
-- ARGV[4..] user, when (ms), user, ...

for i = 4, #ARGV, 2 do
  if redis.call('HGET', unwritten, ARGV[i]) == ARGV[i + 1] then
    redis.call('HDEL', unwritten, ARGV[i])
  end
end
return 0
