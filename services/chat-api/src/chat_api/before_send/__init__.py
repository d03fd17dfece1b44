"""Asks a service of the operator's before a user's message is stored or edited.

`asking` makes the request and reads the verdict; `checks` decides when to ask, and applies verdicts; `turns`
keeps messages in their order meanwhile. Without MESSENGER_BEFORE_SEND_URL nothing of this runs.
"""
