"""presence: who is online, as gateways report it and users choose to be seen, and when each was last seen.

app, settings      wires all of it; reads the environment
handlers           the operations that clients and other services ask for
tracker            the flow: reports, choices and time become transitions, which are published
store, lua         the state in Redis; each step is atomic
keys               the names of its keys
sweeper            ends leases and graces whose time is over
broadcast          publishes transitions on the bus
visibility         what users get to see of each other
contacts           asks chat-api who shares a conversation with whom
choices            what users chose to show, in PostgreSQL and in the store
last_seen          writes transitions to PostgreSQL, in batches
online_checkpoint  writes who is online, every few minutes
statistics         how much is going on
ports              what is reported and kept, and what a store, a publisher and contacts promise
migrate            python -m presence.migrate
"""
