"""Requests and answers over the bus.

`messages` is their form on the bus, `client` asks, `server` answers, `workers` knows which workers of a
service are alive. A request that got no answer is sent again to another worker, so every operation is
idempotent.
"""
