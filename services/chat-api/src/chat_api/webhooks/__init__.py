"""What webhooks are made of, without I/O: bodies, and when what failed is tried again.

bodies    the body and the id of an event, as hosts get them
schedule  when a change that a receiver didn't take is tried again
store     what is stored of webhooks, and the port of the store

`chat_api.outgoing.signatures` signs.
"""
