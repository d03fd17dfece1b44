"""Every frame of a client is checked for its mask, however its bytes are split."""

from __future__ import annotations

import random

import pytest

from messenger_shared.runtime import frame_masks
from messenger_shared.runtime.frame_masks import MaskCheck
from tests.security.raw import BINARY, CONTINUATION, PING, TEXT, frame


class NotingReader:
    """Records the bytes that are passed on."""

    def __init__(self) -> None:
        self.taken = b""
        self.is_refused = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.taken += data
        # By identity: a random frame may hold the same bytes.
        self.is_refused |= data is frame_masks._REFUSED
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
    for data, expected in ((good, good), (good + bad + good, good + frame_masks._REFUSED)):
        reader = NotingReader()
        masked = MaskCheck(reader)
        for piece in pieces(data, dice):
            masked.feed_data(piece)
            if reader.is_refused:
                break
        if data == good:
            assert reader.taken == expected
        else:
            # The head may have come in parts. Only the refusal follows it, and nothing of the frame's
            # contents.
            assert reader.taken.endswith(frame_masks._REFUSED)
            assert reader.taken[: -len(frame_masks._REFUSED)] in (good, good + bad[:1])
    masked.feed_eof()
    assert reader.taken.endswith(b"end")
