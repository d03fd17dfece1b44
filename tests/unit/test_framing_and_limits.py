"""The bytes of a frame, and the rate limits of a client."""

import pytest

from gateway.connections.framing import text_frame
from gateway.connections.rate_limits import TokenBucket, take_from_all


@pytest.mark.parametrize(("length", "head"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_the_header_of_a_frame_has_the_shortest_length(length: int, head: int) -> None:
    frame = text_frame(b"x" * length)
    assert frame[0] == 0x81
    assert len(frame) == head + length
    if head > 2:
        assert int.from_bytes(frame[2:head]) == length


def test_a_bucket_gives_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(10, now=0)
    assert [bucket.take(0) for _ in range(20)] == [0] * 20
    assert 0 < bucket.take(0) <= 101
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) > 0


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = TokenBucket(0, now=0)
    assert not any(bucket.take(0) for _ in range(10_000))


def test_buckets_that_are_filled_at_different_moments_are_taken_from_together() -> None:
    """Somebody who asks a hundred times a second gets what the slowest bucket allows, not nothing."""
    one, two = TokenBucket(5, 0.0), TokenBucket(5, 0.1)
    while not one.take(0.0):
        pass
    while not two.take(0.1):
        pass
    granted = sum(take_from_all([one, two], 0.1 + n / 100) == 0 for n in range(1_000))
    assert 48 <= granted <= 52
