"""Every frame of a client is looked at for its mask, however its bytes come in."""

from __future__ import annotations

import random

import pytest

from messenger_shared import masks
from messenger_shared.masks import MaskedOnly
from tests.security.raw import BINARY, CONTINUATION, PING, TEXT, frame


class NotingReader:
    """Takes what is passed on."""

    def __init__(self) -> None:
        self.taken = b""
        self.is_refused = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.taken += data
        # Those very bytes: a mask of dice may have the same.
        self.is_refused |= data is masks._REFUSED
        return False, b""

    def feed_eof(self) -> None:
        self.taken += b"end"


def frames(dice: random.Random) -> list[bytes]:
    sizes = (0, 1, 20, 125, 126, 300, 65_535, 65_536)
    kinds = (TEXT, BINARY, CONTINUATION, PING)
    return [frame(dice.choice(kinds), b"\x00" * dice.choice(sizes)) for _ in range(dice.randint(1, 6))]


def pieces(data: bytes, dice: random.Random) -> list[bytes]:
    found = []
    while data:
        size = dice.choice((1, 1, 2, 3, 7, 100, 70_000))
        found.append(data[:size])
        data = data[size:]
    return found


@pytest.mark.parametrize("seed", range(200))
def test_what_is_masked_passes_unchanged_and_nothing_after_what_is_not(seed: int) -> None:
    dice = random.Random(seed)
    good = b"".join(frames(dice))
    bad = frame(dice.choice((TEXT, PING)), b"x" * dice.choice((0, 5, 125)), mask=False)
    for data, expected in ((good, good), (good + bad + good, good + masks._REFUSED)):
        reader = NotingReader()
        masked = MaskedOnly(reader)
        for piece in pieces(data, dice):
            masked.feed_data(piece)
            if reader.is_refused:
                break
        if data == good:
            assert reader.taken == expected
        else:
            # A head may have come in parts; what is refused follows it, and nothing of what is in it.
            assert reader.taken.endswith(masks._REFUSED)
            assert reader.taken[: -len(masks._REFUSED)] in (good, good + bad[:1])
    masked.feed_eof()
    assert reader.taken.endswith(b"end")
