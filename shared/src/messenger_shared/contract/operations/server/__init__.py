"""Operations of host applications with server keys.

`users`, `conversations` and `webhooks` have routes below `/server`. `keys` is for gateways and admin
commands.
"""
