"""The filter of Redis messages drops whole messages or nothing, however the bytes are split."""

from __future__ import annotations

import itertools
from random import Random

import hiredis
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.injection.resp_drop import Losses

MESSAGES = [
    b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$%d\r\n%s\r\n" % (len(t), t) for t in (b"", b"a", b"b\r\n$3\r\n")
]
OTHERS = [
    b"+OK\r\n",
    b":3\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"$5\r\nmes\r\n\r\n",
    b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
    b"*2\r\n*1\r\n:1\r\n$1\r\nx\r\n",
    b"%1\r\n+server\r\n$6\r\nvalkey\r\n",
    b"-ERR no\r\n",
]
PUSHES = [b">3" + message[2:] for message in MESSAGES]
REPLIES = st.lists(st.sampled_from([*MESSAGES, *PUSHES, *OTHERS]))


def sieved(replies: list[bytes], rate: float, cuts: list[int]) -> tuple[bytes, Losses]:
    """Returns what passes of the replies, which come in pieces cut at `cuts`."""
    losses, data = Losses(Random(1)), b"".join(replies)
    losses.rate = rate
    new_filter = losses.new_filter()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(new_filter(data[a:b]) for a, b in itertools.pairwise(edges)), losses


@given(REPLIES, st.lists(st.integers(0, 10_000)))
def test_without_losses_everything_passes(replies: list[bytes], cuts: list[int]) -> None:
    passed, losses = sieved(replies, 0.0, cuts)
    assert passed == b"".join(replies)
    assert losses.lost == 0


@given(REPLIES, st.lists(st.integers(0, 10_000)))
def test_messages_are_lost_and_nothing_else(replies: list[bytes], cuts: list[int]) -> None:
    passed, losses = sieved(replies, 1.0, cuts)
    others = [reply for reply in replies if reply in OTHERS]
    assert passed == b"".join(others)
    assert (losses.lost, losses.passed) == (len(replies) - len(others), 0)


@given(st.integers(100, 2_000), st.floats(0.05, 0.5))
def test_so_many_are_lost_as_wanted_and_the_rest_is_whole(number: int, rate: float) -> None:
    passed, losses = sieved(MESSAGES * number, rate, [])
    reader = hiredis.Reader()
    reader.feed(passed)
    count = 0
    while (reply := reader.gets()) is not False:
        assert reply[0] == b"message"
        count += 1
    assert count == losses.passed == 3 * number - losses.lost
    assert abs(losses.lost / (3 * number) - rate) < 0.15
