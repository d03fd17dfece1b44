"""The admin commands on server keys: create, list and revoke."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from messenger_shared.contract.operations.operation import Body, Operation
from messenger_shared.contract.operations.server import keys
from messenger_shared.contract.server_keys import SCOPES, new_key, parse_key

# Asks a service over the bus.
Ask = Callable[[Sequence[str], Operation, Body], Any]
# Runs a command and returns the text to print; raises AppError or SettingsError.
Work = Callable[[Sequence[str], argparse.Namespace], str]
Add = Callable[[str, str, Work], argparse.ArgumentParser]

_COLUMNS: Final = ("id", "name", "scopes", "created_at", "last_used_at", "revoked_at")


def add_key_commands(add: Add, ask: Ask) -> list[argparse.ArgumentParser]:
    """Adds the commands by `add`, which takes a name, a help text and the work. `ask` reaches chat-api."""
    create = add("create", "make a server key and print it, this once", partial(_create, ask))
    create.add_argument("name", metavar="NAME")
    create.add_argument(
        "--scopes", type=scopes, required=True, help=f"separated by commas: {', '.join(SCOPES)}"
    )
    revoke = add("revoke", "revoke a server key on all gateways", partial(_revoke, ask))
    revoke.add_argument("key_id", metavar="ID", type=key_id)
    return [create, add("list", "list the server keys", partial(_list, ask)), revoke]


def scopes(text: str) -> list[str]:
    """The scopes that an argument lists; raises argparse.ArgumentTypeError."""
    found = [scope.strip() for scope in text.split(",") if scope.strip()]
    if not found or not set(found) <= set(SCOPES):
        raise argparse.ArgumentTypeError(f"{text!r}: the scopes are {', '.join(SCOPES)}")
    return found


def key_id(text: str) -> str:
    """The id of a key, given by its id or as the whole key."""
    key = parse_key(text)
    return key.id if key is not None else text


def table(columns: Sequence[str], items: Sequence[Body]) -> str:
    """The items as lines of columns, with a head."""
    rows = [tuple(name.removesuffix("_at").replace("_", " ").upper() for name in columns)]
    rows += [tuple("-" if item[name] is None else str(item[name]) for name in columns) for item in items]
    return "\n".join("\t".join(row) for row in rows)


def _create(ask: Ask, urls: Sequence[str], options: argparse.Namespace) -> str:
    text = new_key()
    key = parse_key(text)
    assert key is not None
    fields = {"key_id": key.id, "digest": key.digest, "name": options.name, "scopes": options.scopes}
    ask(urls, keys.CREATE, fields)
    return text


def _list(ask: Ask, urls: Sequence[str], options: argparse.Namespace) -> str:
    items = ask(urls, keys.LIST, {})["items"]
    return table(_COLUMNS, [key | {"scopes": ",".join(key["scopes"])} for key in items])


def _revoke(ask: Ask, urls: Sequence[str], options: argparse.Namespace) -> str:
    ask(urls, keys.REVOKE, {"key_id": options.key_id})
    return f"the key {options.key_id} is revoked"
