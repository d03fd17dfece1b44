"""Encodes and checks the opaque cursors of lists, which say where the next page starts."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import parse_uuid

_MAX = 2**63 - 1


def encode(list_: str, *parts: int | str) -> str:
    """A cursor for the list named `list_`; `decode` returns its parts."""
    return base64.urlsafe_b64encode(orjson.dumps([list_, *parts])).rstrip(b"=").decode()


def decode(cursor: str, list_: str, *kinds: type) -> list[int | str]:
    """The parts of a cursor, each of its kind: int, or str for a UUID. Raises AppError(invalid_frame).

    It refuses cursors of other lists too, because their numbers mean something else.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _invalid() from None
    if not isinstance(parts, list) or parts[:1] != [list_]:
        raise _invalid()
    del parts[0]
    if len(parts) != len(kinds):
        raise _invalid()
    for part, kind in zip(parts, kinds, strict=True):
        if type(part) is not kind or (isinstance(part, int) and abs(part) > _MAX):
            raise _invalid()
        if kind is str and parse_uuid(part) is None:
            raise _invalid()
    return parts


def decode_integer(cursor: str | None, list_: str) -> int:
    """The integer in a cursor that has one part; 0 without a cursor. Raises AppError(invalid_frame)."""
    return int(decode(cursor, list_, int)[0]) if cursor is not None else 0


def page(items: list[dict[str, Any]], limit: int, key: str, list_: str) -> dict[str, Any]:
    """A page of `items`, of which there are `limit` + 1 if more follow. `key` is the field for the cursor."""
    has_more = len(items) > limit
    items = items[:limit]
    return {"items": items, "next_cursor": encode(list_, items[-1][key]) if has_more else None}


def numbered_page(rows: list[tuple[int, dict[str, Any]]], limit: int, list_: str) -> dict[str, Any]:
    """The same for items that are sorted by a number beside them, which clients don't get otherwise."""
    has_more = len(rows) > limit
    rows = rows[:limit]
    return {
        "items": [item for _, item in rows],
        "next_cursor": encode(list_, rows[-1][0]) if has_more else None,
    }


def _invalid() -> AppError:
    return AppError(errors.INVALID_FRAME, details={"cursor": ["Not a cursor of this list."]})
