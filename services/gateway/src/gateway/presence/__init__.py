"""Who is online, as the sockets of this worker see it.

`client` asks the presence service, within a budget. `cache` keeps the state of each user whom a socket here
sees, and compares it with the service regularly; `entries` defines what it holds. `subscriptions` knows which
socket sees which users, `fan_out` writes the frames, `reporter` tells the service which users have sockets
here. Called by `sockets`, `delivery` and `edge`; it imports `connections` alone.
"""
