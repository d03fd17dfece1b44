"""presence: who is there, as gateways report it and users choose to be seen; when each was last seen.

ports       what is told and kept, and what a store, a voice and contacts promise
tracker     the flow: reports, choices and time become transitions, which are told
store, lua  the store in Redis, every step atomic
keys        the names of its keys
views       what users get to see of each other
contacts    asks chat-api who shares a conversation with whom
choices     what users chose, as rows in PostgreSQL, and in the store
last_seen   transitions become rows in PostgreSQL
noting      so do those who are there, every few minutes
figures     how much is going on
handlers    the operations that clients and other services ask for
sweeper     looks after ended leases and graces
broadcast   transitions become messages on the bus
settings, app  put it all together
migrate     python -m presence.migrate
"""
