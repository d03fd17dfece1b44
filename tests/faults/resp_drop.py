"""Owns losing what Redis publishes: whole messages, at random, out of the bytes that subscribers get."""

from __future__ import annotations

from random import Random

# As both versions of the protocol put it.
_MESSAGES = (b"*3\r\n$7\r\nmessage\r\n", b">3\r\n$7\r\nmessage\r\n")
_END = b"\r\n"
_TEXTS, _LISTS, _MAPS = b"$=!", b"*>~", b"%"
_SIZED = _TEXTS + _LISTS + _MAPS


class Losses:
    """How much is lost now, on all connections together."""

    def __init__(self, random: Random) -> None:
        self.rate = 0.0
        self.passed = 0
        self.lost = 0
        self._random = random

    def sieve(self) -> Sieve:
        """For one more connection."""
        return Sieve(self)

    def loses(self) -> bool:
        """Whether the next message is lost."""
        lost = self.rate > 0 and self._random.random() < self.rate
        self.lost += lost
        self.passed += not lost
        return lost


class Sieve:
    """One connection's replies: whole ones pass, or are messages that don't."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._rest = b""

    def __call__(self, data: bytes) -> bytes:
        """What is left of it."""
        self._rest = data = self._rest + data if self._rest else data
        kept, start = [], 0
        while (end := end_of_reply(data, start)) >= 0:
            reply = data[start:end]
            if not (reply.startswith(_MESSAGES) and self._losses.loses()):
                kept.append(reply)
            start = end
        self._rest = data[start:]
        return b"".join(kept)


def end_of_reply(data: bytes, at: int) -> int:
    """Where the reply that begins at `at` ends; -1 when not all of it is there."""
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
