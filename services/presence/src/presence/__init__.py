"""presence: who is online, as the gateways report it, and when each user was last seen.

ports      what is told and kept, and what a store promises
tracker    the flow: reports and ended leases become transitions, which are told to listeners
store, lua the store in Redis, every step atomic
keys       the names of its keys
handlers   the operations that other services ask for
sweeper    looks after ended leases, every second
broadcast  transitions become events on the bus
last_seen  transitions become rows in PostgreSQL
app        puts it all together
migrate    python -m presence.migrate
"""
