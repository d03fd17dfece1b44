"""Which blocks the search index has: each message in one, few of them, and none written without need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_api.search.layout import RUN, Range, changed_blocks


def replaced(present: set[Range], written: list[Range]) -> set[Range]:
    """Returns the blocks after these were written; each replaces all in its range."""
    kept = {block for block in present if not any(w.first <= block.last <= w.last for w in written)}
    return kept | set(written)


@given(st.lists(st.tuples(st.integers(0, 100), st.sets(st.integers(1, 300), max_size=4)), max_size=30))
def test_blocks_cover_each_message_once_whatever_comes(steps: list[tuple[int, set[int]]]) -> None:
    present: set[Range] = set()
    last = 0
    for count, edited in steps:
        changed = {*range(last + 1, last + count + 1), *(seq for seq in edited if seq <= last)}
        last += count
        of_runs = {(seq - 1) // RUN for seq in changed}
        written = changed_blocks([block for block in present if block.run in of_runs], changed)
        assert all(any(w.first <= seq <= w.last for w in written) for seq in changed)
        present = replaced(present, written)
        covered = [seq for block in sorted(present) for seq in range(block.first, block.last + 1)]
        assert covered == list(range(1, last + 1))
        assert all((block.last - 1) // RUN == block.run for block in present)
        complete = [block for block in present if block.run < last // RUN]
        assert all(block.last - block.first + 1 == RUN for block in complete)
        assert len(present) - len(complete) <= 14


@pytest.mark.parametrize(
    ("present", "changed", "written"),
    [
        ([], [1], [(1, 1)]),
        ([], range(1, 8), [(1, 7)]),
        ([], range(1, 9), [(1, 8)]),
        ([], range(1, 21), [(1, 16), (17, 20)]),
        ([], range(1, 131), [(1, 64), (65, 128), (129, 130)]),
        ([(1, 1)], [2], [(2, 2)]),
        ([(1, 5), (6, 7)], [8], [(1, 8)]),
        ([(1, 8), (9, 10)], range(11, 30), [(9, 24), (25, 29)]),
        ([(1, 56), (57, 63)], [64], [(1, 64)]),
        ([(1, 8), (9, 10), (11, 11)], [9], [(9, 10)]),
        ([(1, 64), (65, 70)], [3, 71], [(1, 64), (71, 71)]),
        # Messages 2 and 3 were edited before they were indexed, and come later.
        ([], [1, 4], [(1, 4)]),
    ],
)
def test_the_blocks_to_write(
    present: list[tuple[int, int]], changed: list[int], written: list[tuple[int, int]]
) -> None:
    assert changed_blocks([Range(*block) for block in present], changed) == written
