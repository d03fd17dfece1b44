"""The admin commands on VAPID keys: list and rotate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from gateway.admin.key_commands import Add, Ask, table
from messenger_shared.contract.operations.push import keys

_COLUMNS = ("public_key", "created_at", "devices")


def add_push_key_commands(add: Add, ask: Ask) -> list[argparse.ArgumentParser]:
    """Adds the commands by `add`, which takes a name, a help text and the work. `ask` reaches chat-api."""
    rotate = "make a new VAPID key for new push subscriptions; others keep theirs"
    return [
        add(
            "list",
            "list the VAPID keys, the newest first, and how many devices use each",
            partial(_list, ask),
        ),
        add("rotate", rotate, partial(_rotate, ask)),
    ]


def _list(ask: Ask, urls: Sequence[str], options: argparse.Namespace) -> str:
    return table(_COLUMNS, ask(urls, keys.LIST, {})["items"])


def _rotate(ask: Ask, urls: Sequence[str], options: argparse.Namespace) -> str:
    return str(ask(urls, keys.ROTATE, {})["public_key"])
