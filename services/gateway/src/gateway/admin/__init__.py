"""What operators may do.

`http` adds the routes that `MESSENGER_ADMIN_API` switches on. `commands` is `python -m
gateway.admin.commands`, with `key_commands` for server keys and
`push_key_commands` for VAPID keys: it needs no gateway, only a login to Redis.
Both import the packages below; only `gateway.app` imports `http`.
"""
