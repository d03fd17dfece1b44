-- Finds gateways whose lease has ended; after a time in which nobody looked, renews the leases instead.
--
-- KEYS[1]  zset    gateway -> when its lease ends (ms), 0 once it has left
-- KEYS[2]  string  when somebody last looked (ms)
-- ARGV[1]  length of a lease (ms)
-- ARGV[2]  how long nobody may have looked (ms); the clock may have leapt as well, either way
-- ARGV[3]  how many gateways to return at most
--
-- Returns the gateways, those that have left first.

local leases, looked = KEYS[1], KEYS[2]
local lease_ms, patience_ms, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local now = now_ms()

local last = tonumber(redis.call('GET', looked) or 0)
redis.call('SET', looked, now)
if math.abs(now - last) > patience_ms then
  for _, gateway in ipairs(redis.call('ZRANGEBYSCORE', leases, '(0', '+inf')) do
    redis.call('ZADD', leases, now + lease_ms, gateway)
  end
end
return redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, limit)
