-- Finds gateways whose lease has ended. After a time in which nobody looked, nobody took reports either: then
-- every gateway gets a new lease, and everybody who is leaving a new grace.
--
-- ARGV[4]  how long nobody may have looked (ms); the clock may have leapt as well, either way
-- ARGV[5]  how many gateways to return at most
--
-- Returns {1 if nobody had looked, 1 if the choices are loaded, gateways, those that have left first}.

local looked = tonumber(redis.call('HGET', marks, 'looked')) or 0
local unattended = math.abs(now - looked) > tonumber(ARGV[4])
redis.call('HSET', marks, 'looked', now)
if unattended then
  redis.call('HSET', marks, 'since', now)
  for _, gateway in ipairs(redis.call('ZRANGEBYSCORE', leases, '(0', '+inf')) do
    redis.call('ZADD', leases, now + lease_ms, gateway)
  end
  for _, user in ipairs(redis.call('ZRANGE', leaving, 0, -1)) do
    redis.call('ZADD', leaving, math.max(now + grace_ms, now + settle_ms), user)
  end
end
return {
  unattended and 1 or 0,
  redis.call('HEXISTS', marks, 'loaded'),
  redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, ARGV[5])
}
