"""The gateway: clients connect to it alone. It holds their sockets, answers REST, orders events and fans them
out.

The sub-packages, from top to bottom; each imports only those below it (`.importlinter` holds that):

admin        what operators may do: HTTP routes, and commands over the bus
edge         what clients reach: the WebSocket routes, REST, pages, documents, problem documents
files        files: the store of their bytes, what they are, how they are served, their removal
sockets      a socket's commands and life cycle: reader, command queue, commands, heartbeat, drain
delivery     what a socket receives: memberships, rooms, repair of holes, resume and replay
presence     who is online: the client of the presence service, its cache, subscriptions, fan-out
auth         who a client is: tokens, tickets, signing keys, revocations, accounts, server keys
connections  the sockets themselves: one connection, the hub of all, framing, rate limits
media        what pictures, audio and video show, in processes of their own; virus scanners

`app` wires all of it, `settings` reads the environment, `metrics` declares the counters.
"""
