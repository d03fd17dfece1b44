"""Messenger for Python.

- `Server` makes a host application's requests, with a server key. `BlockingServer` is the same for Django and
  Flask.
- `Client` is one user's connection, for bots.
- `compose` makes a text that mentions users, of strings and `Mention`s.
- `mint_token` signs a user's token. `verify_webhook` checks what the messenger posts to a host.

`models` has the types of all bodies and frames. It is generated from the messenger's documents.
"""

from messenger_sdk.blocking import BlockingServer
from messenger_sdk.client.client import Client
from messenger_sdk.errors import MessengerError
from messenger_sdk.mentions import Mention, compose
from messenger_sdk.server import Server
from messenger_sdk.tokens import mint_token
from messenger_sdk.webhooks import WebhookError, verify_webhook

__all__ = [
    "BlockingServer",
    "Client",
    "Mention",
    "MessengerError",
    "Server",
    "WebhookError",
    "compose",
    "mint_token",
    "verify_webhook",
]
