"""Redis, and Pub/Sub between worker processes.

`interface` is what a bus promises; `redis_bus` keeps it over Redis, `memory_bus` in one process for tests.
`redis_connection` is one connection on the hot path, `redis_client` redis-py for everything else. `channels`
and `keys` name every channel and key; `revocations` is how tokens are taken back through Redis, `viewers` how
the feed asks who looks at a conversation.
"""
