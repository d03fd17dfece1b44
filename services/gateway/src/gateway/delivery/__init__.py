"""Delivery: the events of conversations, on their way to the sockets.

`memberships` knows which conversations the users of this worker are in. `rooms` listens to those
conversations, puts events in order, and fetches what was lost. `resume` brings a client that was away up
to date, `replay` decides which frames that takes. `user_updates` tells users of changed profiles,
`viewers` tells the feed who looks at a conversation, `tracing` adds spans. Called by `gateway.sockets` and
`edge`; it may import `presence`, `auth` and `connections`.
"""
