"""Loses random whole Pub/Sub messages out of the bytes that Redis sends to subscribers."""

from __future__ import annotations

from random import Random

# The start of a message in both versions of the protocol.
_MESSAGES = (b"*3\r\n$7\r\nmessage\r\n", b">3\r\n$7\r\nmessage\r\n")
_END = b"\r\n"
_TEXTS, _LISTS, _MAPS = b"$=!", b"*>~", b"%"
_SIZED = _TEXTS + _LISTS + _MAPS


class Losses:
    """The present loss rate and the counts, over all connections."""

    def __init__(self, random: Random) -> None:
        self.rate = 0.0
        self.passed = 0
        self.lost = 0
        self._random = random

    def new_filter(self) -> Filter:
        """Returns the filter of one more connection."""
        return Filter(self)

    def drops_next(self) -> bool:
        """Decides whether the next message is lost."""
        lost = self.rate > 0 and self._random.random() < self.rate
        self.lost += lost
        self.passed += not lost
        return lost


class Filter:
    """Filters the replies of one connection, and drops whole messages only."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        """Returns the bytes that pass."""
        self._rest = data = self._rest + data if self._rest else data
        kept, start = [], 0
        while (end := end_of_reply(data, start)) >= 0:
            reply = data[start:end]
            if not (reply.startswith(_MESSAGES) and self._losses.drops_next()):
                kept.append(reply)
            start = end
        self._rest = data[start:]
        return b"".join(kept)


def end_of_reply(data: bytes, at: int) -> int:
    """Returns where the reply that begins at `at` ends; -1 when it isn't complete yet."""
    open_ = 1
    while open_:
        line_end = data.find(_END, at)
        if line_end < 0:
            return -1
        kind = data[at]
        size = int(data[at + 1 : line_end]) if kind in _SIZED else 0
        at = line_end + len(_END)
        if kind in _TEXTS:
            at += size + len(_END) if size >= 0 else 0
        else:
            open_ += max(size, 0) * (2 if kind in _MAPS else 1)
        if at > len(data):
            return -1
        open_ -= 1
    return at
