"""Parses and makes ids: users have integers, conversations and messages UUIDs; new ids are UUIDv7."""

import re
from typing import Final

import uuid_utils

# The largest integer that JavaScript holds exactly. No user id and no other number may be larger.
MAX_INTEGER: Final = 2**53 - 1
# The acting user of a request that a host application makes with a server key. It is no user's id.
SERVER: Final = -1
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def parse_uuid(value: object) -> str | None:
    """`value` in canonical form (lower case, hyphens), or None if it isn't a UUID."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    return None


def new_id() -> str:
    """A new UUIDv7. Nothing may rely on the order of ids."""
    return str(uuid_utils.uuid7())
