"""The gateway: holds the clients' sockets, opens the REST door, orders and fans out what chat-api tells.

`app` wires. A request comes in by `socket` (after `handshake`) or `rest`, both over the operation table;
`commands` and `session` answer it. An event comes in by `follower`, is ordered by `stream` and sent by `hub`
to every `connection`. `watching` and `reporting` are the side of presence.
"""
