-- Claims a task for a period. If the clock jumps, forward or back, a claim may end early, but never late.
--
-- ARGV[4]  task
-- ARGV[5]  period (ms)
--
-- Returns 1 to the first caller in a period, else 0.

local mark = 'claim ' .. ARGV[4]
local claimed = tonumber(redis.call('HGET', marks, mark))
if claimed and math.abs(now - claimed) < tonumber(ARGV[5]) then
  return 0
end
redis.call('HSET', marks, mark, now)
return 1
