"""Defines server keys: how a host application proves itself, and what each scope allows."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final, NamedTuple

PREFIX: Final = "msk_"
SECRET_BYTES: Final = 32
KEY_NAME_CHARS: Final = 100
SCOPES: Final = ("users", "conversations", "messages", "moderation", "export")
_KEY: Final = re.compile(r"msk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class ServerKey(NamedTuple):
    """The parts of a key: the id that names it, and the digest of its secret, in hexadecimal."""

    id: str
    digest: str


def new_key() -> str:
    """A new key. It is shown once; only the digest of its secret is stored."""
    return f"{PREFIX}{secrets.token_hex(6)}_{secrets.token_urlsafe(SECRET_BYTES)}"


def parse_key(text: str) -> ServerKey | None:
    """The parts of a key, or None if the text isn't one."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    return ServerKey(found[1], hashlib.sha256(found[2].encode()).hexdigest())
