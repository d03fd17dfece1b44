-- Iterates over users whom a gateway holds and who are not invisible.
--
-- ARGV[4]  cursor, '0' to begin
-- ARGV[5]  approximate number of users to look at
--
-- Returns {next cursor, '0' at the end; a time at which all these users were online (ms); users}.

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
-- A gateway that holds users reported within the last lease, so they were online then.
return {step[1], now - lease_ms, found}
