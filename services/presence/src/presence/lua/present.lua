-- Goes through the users who are there and not invisible.
--
-- ARGV[4]  where to go on, '0' to begin
-- ARGV[5]  about how many to look at
--
-- Returns {where to go on, '0' at the end; a time at which all of them were there; users}.

local step = redis.call('HSCAN', counts, ARGV[4], 'COUNT', ARGV[5])
local all, found = {}, {}
for i = 1, #step[2], 2 do
  all[#all + 1] = step[2][i]
end
in_pieces(all, 1, #all, function(some)
  for i, choice in ipairs(redis.call('HMGET', choices, unpack(some))) do
    if not is_invisible(flags_of(choice)) then
      found[#found + 1] = some[i]
    end
  end
end)
-- Who is held is vouched for by a report that is younger than a lease.
return {step[1], now - lease_ms, found}
