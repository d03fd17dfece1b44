"""The fault harness: people who chat and never give up, harm, and a judge of what they saw.

campaigns   what a run does; running: from its beginning to its end; __main__: `make faults`
stage       the stack, Redis and proxies of a run; redis_server, proxy, resp_drop: parts of it
cast        who is on it: person (asking, attempts), device (line, wire, returning, door), mover, probe
plan        which fault comes when; harm, link_harm: doing it
history     the log; told: what it is about; database, archive: what is stored in the end; holes: repairs
run         all that as the checker sees it; checker and views: the judgement; lag and table: the figures
"""
