"""Owns that clients mask their frames (RFC 6455, 5.1): aiohttp reads those too that aren't."""

from __future__ import annotations

from typing import Final, Protocol

_MASKED: Final = 0x80
# Reserved bits, which the reader answers with 1002 as it would have to answer a missing mask.
_REFUSED: Final = b"\xf0\x80"
_KEY_BYTES: Final = 4
# From this value on, the second byte announces a length that follows.
_LONG: Final = 126
_SHORT_HEAD_BYTES: Final = 2 + _KEY_BYTES
# The first two bytes and the longest length.
_HEAD_BYTES: Final = 10


class Reader(Protocol):
    """What takes a socket's bytes."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """The next bytes."""

    def feed_eof(self) -> None:
        """There are no more."""


class MaskedOnly:
    """Passes on what a socket brings, up to the first frame without a mask."""

    __slots__ = ("_head", "_left", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # How many bytes of the frame are still to come, and what has come of the next one's head.
        self._left = 0
        self._head = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """As the reader has it."""
        at, size = self._left, len(data)
        if not at and not self._head and size > 1 and data[1] & _MASKED and _frame_bytes(data) == size:
            # One whole frame, as nearly always.
            return self._reader.feed_data(data)
        while at < size:
            if at + 1 < size and not self._head and (flag := data[at + 1] ^ _MASKED) < _LONG:
                # Short and masked, as the frames of a flood are.
                at += _SHORT_HEAD_BYTES + flag
                continue
            head = self._head + data[at : at + _HEAD_BYTES] if self._head else data[at : at + _HEAD_BYTES]
            if len(head) > 1 and not head[1] & _MASKED:
                self._reader.feed_data(data[:at])
                return self._reader.feed_data(_REFUSED)
            length = _frame_bytes(head)
            if not length:
                self._head, at = head, size
                break
            at += length - len(self._head)
            self._head = b""
        self._left = at - size
        return self._reader.feed_data(data)

    def feed_eof(self) -> None:
        """As the reader has it."""
        self._reader.feed_eof()


def _frame_bytes(head: bytes) -> int:
    """How long the frame is that begins so, head and key included; 0 while that can't be told."""
    flag = head[1] & 0x7F if len(head) > 1 else 0
    size = 2 if flag < _LONG else 4 if flag == _LONG else _HEAD_BYTES
    if len(head) < size:
        return 0
    return size + _KEY_BYTES + (flag if size == 2 else int.from_bytes(head[2:size]))
