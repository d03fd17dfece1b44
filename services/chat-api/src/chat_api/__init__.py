"""chat-api: the truth about conversations and messages.

`app` wires; `handlers/` hold a short coroutine per operation; `intake` gathers sends into batches;
`storage/` is the SQL; `rules/` what is allowed, without I/O; `publish` and `heads` tell the gateways.
"""
