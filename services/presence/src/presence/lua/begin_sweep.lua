-- Finds gateways whose lease has expired. If there was no sweep for a while, no reports were taken either.
-- Then every gateway gets a new lease, and every user in a grace period gets a new one.
--
-- ARGV[4]  longest normal time between two sweeps (ms); a jump of the clock, forward or back, exceeds it too
-- ARGV[5]  maximum number of gateways to return
--
-- Returns {1 if there was no sweep, 1 if the choices are loaded, gateways}; those that have left come first.

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
