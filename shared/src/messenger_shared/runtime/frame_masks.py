"""Refuses unmasked frames from clients (RFC 6455, 5.1), which aiohttp would accept."""

from __future__ import annotations

from typing import Final, Protocol

_MASKED: Final = 0x80
# A frame with reserved bits set. aiohttp closes with 1002 on it, the right code for a missing mask too.
_REFUSED: Final = b"\xf0\x80"
_KEY_BYTES: Final = 4
# From this value on, the length is in the bytes after the second one.
_LONG: Final = 126
_SHORT_HEAD_BYTES: Final = 2 + _KEY_BYTES
# The first two bytes and the longest length field (8 bytes).
_HEAD_BYTES: Final = 10


class Reader(Protocol):
    """aiohttp's WebSocket reader, as far as it is used here."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Takes the next bytes."""

    def feed_eof(self) -> None:
        """Takes the end of the stream."""


class MaskCheck:
    """Passes a socket's bytes on to the reader, up to the first frame without a mask."""

    __slots__ = ("_head", "_left", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # Bytes of the current frame still to come, and the part of the next frame's header that has arrived.
        self._left = 0
        self._head = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Checks the next bytes and passes them on. Returns what the reader returns."""
        at, size = self._left, len(data)
        if not at and not self._head and size > 1 and data[1] & _MASKED and _frame_bytes(data) == size:
            # The usual case: exactly one whole frame.
            return self._reader.feed_data(data)
        while at < size:
            if at + 1 < size and not self._head and (flag := data[at + 1] ^ _MASKED) < _LONG:
                # A fast path for many short frames in one read, as in a flood.
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
        """Passes the end of the stream on."""
        self._reader.feed_eof()


def _frame_bytes(head: bytes) -> int:
    """The size of the frame that starts with `head`, header and key included; 0 if `head` is too short."""
    flag = head[1] & 0x7F if len(head) > 1 else 0
    size = 2 if flag < _LONG else 4 if flag == _LONG else _HEAD_BYTES
    if len(head) < size:
        return 0
    return size + _KEY_BYTES + (flag if size == 2 else int.from_bytes(head[2:size]))
