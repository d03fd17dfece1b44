"""A user's connection to the messenger.

`client` has the class `Client`, and `events` the types of what it yields. `socket` is one WebSocket,
`positions` decides which events are new, `catch_up` asks for what was missed, `event_queue` holds what the
application has not taken yet, `outbox` holds messages until they are stored, `user_tokens` keeps the
application's token, `search` reads pages of found messages, and `tasks` runs coroutines.
"""
