"""The vocabulary and the plumbing that the three services share; no rule of any of them.

Vocabulary: `operations` (what can be asked), `events` (what is told), `channels`, `errors`, `closes`,
`identifiers`, `tokens`. Plumbing: `bus` and its two forms `memory_bus` and `redis_bus`, `rpc_client` and
`rpc_server` over it, `workers` (who is alive), `postgres` and `migrations`, `settings`, `logs`, `service`.
"""
