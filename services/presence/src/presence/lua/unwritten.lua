-- Gives some users who went.
--
-- ARGV[4]  how many at most
--
-- Returns user, when he was last there (ms), user, ...

return redis.call('HRANDFIELD', unwritten, ARGV[4], 'WITHVALUES')
