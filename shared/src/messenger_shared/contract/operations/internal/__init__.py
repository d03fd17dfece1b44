"""Operations that services and admin commands ask for. Clients can't reach them by any route.

`files` has what gateways ask about files. `operators` has what operators do to conversations. `reports` has
what gateways report to presence, and what presence asks of chat-api.
"""
