"""Owns what an id looks like: conversations and messages are UUIDs, new messages UUIDv7."""

import re

import uuid_utils

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


def parse_uuid(value: object) -> str | None:
    """`value` in its one canonical form (lower case, hyphens), or None when it is no UUID."""
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    return None


def new_id() -> str:
    """A fresh UUIDv7; its order is a convenience and never a promise."""
    return str(uuid_utils.uuid7())
