"""Operations of host applications with server keys.

`users` and `conversations` have routes below `/server`. `keys` is for gateways and admin commands.
"""
