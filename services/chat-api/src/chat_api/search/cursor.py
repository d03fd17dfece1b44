"""Encodes where a search goes on, for the client to give back.

A cursor has times and ids, and nothing else of messages and conversations. Whoever uses it finds only what
they may see. A cursor of another query or another user is refused, since its numbers mean something else.
"""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Final

from chat_api.search.query import LATEST_US, Moment, Query
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError

KEPT_MAX: Final = 8
_HEAD: Final = struct.Struct(">cIq16sB")
_ROUND: Final = struct.Struct(">16sH16sq?B")
_VERSION: Final = b"s"
FIRST_ID: Final = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class Round:
    """A search that takes several requests to look at all conversations once, in the order of their ids.

    It is done with those up to `after`, and now looks at the next `size`. With `within`, it is done with the
    blocks of these up to that first seq in that conversation. `kept` are the ids of the newest messages so
    far, which are the answer at its end; if it is `full`, older ones were left out.
    """

    after: str = FIRST_ID
    size: int = 512
    within: tuple[str, int] | None = None
    kept: tuple[str, ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a search goes on: below the moment `below`."""

    below: Moment
    round: Round | None = field(default=None)


def encode(position: Position, query: Query, caller: int) -> str:
    """The cursor of a position."""
    at, id_ = position.below
    data = _HEAD.pack(
        _VERSION, _checksum(query, caller), at, uuid.UUID(id_).bytes, position.round is not None
    )
    if (round_ := position.round) is not None:
        conversation_id, seq = round_.within or (FIRST_ID, 0)
        ids = [uuid.UUID(id_).bytes for id_ in (round_.after, conversation_id, *round_.kept)]
        data += _ROUND.pack(ids[0], round_.size, ids[1], seq, round_.full, len(round_.kept))
        data += b"".join(ids[2:])
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(cursor: str, query: Query, caller: int) -> Position:
    """The reverse of `encode`. Raises AppError(invalid_frame) unless the cursor is of this query."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, checksum, at, id_, has_round = _HEAD.unpack_from(data)
        if version != _VERSION or checksum != _checksum(query, caller) or has_round > 1:
            raise ValueError
        round_ = _decode_round(data[_HEAD.size :]) if has_round else None
        if not has_round and len(data) != _HEAD.size:
            raise ValueError
    except (binascii.Error, struct.error, ValueError):
        details = {"cursor": ["Not a cursor of this search."]}
        raise AppError(errors.INVALID_FRAME, details=details) from None
    return Position((_in_range(at), str(uuid.UUID(bytes=id_))), round_)


def _decode_round(data: bytes) -> Round:
    after, size, conversation_id, seq, full, count = _ROUND.unpack_from(data)
    ids = data[_ROUND.size :]
    if not size or count > KEPT_MAX or len(ids) != count * 16 or seq < 0:
        raise ValueError
    kept = tuple(str(uuid.UUID(bytes=ids[at : at + 16])) for at in range(0, len(ids), 16))
    within = (str(uuid.UUID(bytes=conversation_id)), seq) if seq else None
    return Round(str(uuid.UUID(bytes=after)), size, within, kept, full)


def _in_range(at: int) -> int:
    """The time, which PostgreSQL must be able to store."""
    return max(_EARLIEST, min(at, LATEST_US))


_EARLIEST: Final = -62_135_596_800_000_000


def _checksum(query: Query, caller: int) -> int:
    filters = (query.text, query.conversation_id, query.sender_id, query.has, query.after, query.before)
    return zlib.crc32(repr((caller, *filters)).encode())
