"""The plan depends on the seed only, holds each fault as often as asked, and spreads them over the time."""

from __future__ import annotations

import itertools
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.injection.plan import LASTING, Fault, plan

COUNTS = st.dictionaries(st.sampled_from(Fault), st.integers(1, 30), min_size=1)


@given(COUNTS, st.integers(0, 2**32), st.floats(1, 10_000))
def test_each_fault_is_there_as_often_as_asked_within_the_time(
    counts: dict[Fault, int], seed: int, seconds: float
) -> None:
    found = plan(Random(seed), counts, seconds)
    assert found == plan(Random(seed), counts, seconds)
    assert found == sorted(found)
    assert {fault: sum(one.fault is fault for one in found) for fault in counts} == counts
    assert all(0 < one.at < seconds and 0 <= one.pick < 1 for one in found)


@given(st.integers(2, 30), st.integers(0, 2**32))
def test_faults_of_one_kind_are_never_close_to_each_other(count: int, seed: int) -> None:
    times = [one.at for one in plan(Random(seed), {Fault.POSTGRES_FAST: count}, 100.0)]
    assert min(after - before for before, after in itertools.pairwise(times)) >= 50.0 / count


def test_what_lasts_has_its_time_and_the_rest_none() -> None:
    for one in plan(Random(1), dict.fromkeys(Fault, 3), 60.0, duration_factor=0.5):
        shortest, longest = LASTING.get(one.fault, (0.0, 0.0))
        assert shortest / 2 <= one.duration_s <= longest / 2
