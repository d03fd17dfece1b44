"""The bytes of a frame, and the allowance of a client."""

import pytest

from gateway.framing import text_frame
from gateway.limits import Bucket


@pytest.mark.parametrize(("length", "head"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_the_header_of_a_frame_has_the_shortest_length(length: int, head: int) -> None:
    frame = text_frame(b"x" * length)
    assert frame[0] == 0x81
    assert len(frame) == head + length
    if head > 2:
        assert int.from_bytes(frame[2:head]) == length


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = Bucket(10, now=0)
    assert [bucket.take(0) for _ in range(20)] == [0] * 20
    assert 0 < bucket.take(0) <= 101
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) > 0


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = Bucket(0, now=0)
    assert not any(bucket.take(0) for _ in range(10_000))
