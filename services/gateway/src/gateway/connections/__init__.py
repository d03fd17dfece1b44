"""The sockets themselves, and sending one frame to many of them.

`connection` is one socket with its buffers and its end; `framing` makes the bytes of a frame; `rate_limits`
are token buckets. `hub` holds every user (`Member`) and every conversation (`Room`) of this worker and fans
frames out. `ordered_stream` orders one conversation's events by `pos`. `socket_counter` counts a user's
sockets over all gateways. The lowest package: it imports no other of the gateway.
"""
