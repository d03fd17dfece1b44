-- Returns some last-seen times that PostgreSQL doesn't have yet.
--
-- ARGV[4]  maximum number of users
--
-- Returns {user, when last seen (ms), user, ...}.

return redis.call('HRANDFIELD', unwritten, ARGV[4], 'WITHVALUES')
