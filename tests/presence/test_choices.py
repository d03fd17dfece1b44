"""Owns the tests of what users chose: rows in the real PostgreSQL, and bringing them into a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.postgres import Database
from messenger_shared.presences import EVERYONE, NOBODY
from presence import choices
from presence.choices import Choices
from presence.ports import Choice
from tests.conftest import SharedStack
from tests.databases import logged_in
from tests.presence.stores import MemoryBench


@pytest.fixture
async def database(stack: SharedStack, database_url: str) -> AsyncIterator[Database]:
    async with logged_in(stack.as_role(database_url, "messenger_presence")) as database:
        yield database


@pytest.fixture
def bench() -> MemoryBench:
    return MemoryBench()


@pytest.fixture
def kept(database: Database, bench: MemoryBench) -> Choices:
    return Choices(database, bench.store, "presence-1")


async def chosen(bench: MemoryBench, *users: int) -> list[tuple[bool, bool]]:
    """Whether each is invisible, and hides when he was there."""
    return [(state.invisible, state.hides) for state in (await bench.store.states(users)).states]


async def test_what_is_not_said_stays_and_versions_grow(kept: Choices) -> None:
    assert await kept.keep(1, True, None) == Choice(1, 1, True, False)
    assert await kept.keep(1, None, NOBODY) == Choice(1, 2, True, True)
    assert await kept.keep(1, False, None) == Choice(1, 3, False, True)
    assert await kept.keep(1, None, EVERYONE) == Choice(1, 4, False, False)
    assert await kept.keep(2, None, NOBODY) == Choice(2, 1, False, True)


async def test_all_that_are_not_as_everybodys_are_loaded_in_pieces(
    kept: Choices, bench: MemoryBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "LOADED_AT_ONCE", 2)
    for user in range(1, 6):
        await kept.keep(user, user % 2 == 1, NOBODY if user == 2 else EVERYONE)
    await kept.load()
    assert await chosen(bench, *range(1, 7)) == [
        (True, False),
        (False, True),
        (True, False),
        (False, False),
        (True, False),
        (False, False),
    ]
    assert (await bench.store.look()).loaded


async def test_with_nothing_to_load_everything_is_loaded(kept: Choices, bench: MemoryBench) -> None:
    await kept.load()
    assert (await bench.store.look()).loaded


async def test_those_who_need_them_at_once_wait_for_the_same(kept: Choices, bench: MemoryBench) -> None:
    await asyncio.gather(*(kept.load() for _ in range(5)))
    assert (await bench.store.look()).loaded
    await bench.empty()
    await kept.load()
    assert (await bench.store.look()).loaded


class Forgetful(MemoryBench):
    """Loses everything while it is being loaded, a few times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.store.load = self.load  # type: ignore[method-assign]

    async def load(self, loader: str, rows: object, *, first: bool, last: bool) -> bool:
        self.times -= 1
        return self.times < 0


async def test_a_store_that_loses_everything_meanwhile_is_loaded_anew(database: Database) -> None:
    await Choices(database, Forgetful(2).store, "presence-1").load()
    with pytest.raises(AppError) as given_up:
        await Choices(database, Forgetful(100).store, "presence-1").load()
    assert given_up.value.kind is errors.UNAVAILABLE
