"""Tests what users chose: rows in the real PostgreSQL, and loading them into a store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import EVERYONE, NOBODY
from messenger_shared.postgres.database import Database
from presence import choices
from presence.choices import Choices
from presence.ports import Choice
from tests.conftest import SharedStack
from tests.databases import logged_in
from tests.presence.stores import MemoryHarness


@pytest.fixture
async def database(stack: SharedStack, database_url: str) -> AsyncIterator[Database]:
    async with logged_in(stack.as_role(database_url, "messenger_presence")) as database:
        yield database


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()


@pytest.fixture
def user_choices(database: Database, harness: MemoryHarness) -> Choices:
    return Choices(database, harness.store, "presence-1")


async def chosen(harness: MemoryHarness, *users: int) -> list[tuple[bool, bool]]:
    """Returns for each user whether they are invisible, and whether they hide their last-seen time."""
    return [(state.invisible, state.hides) for state in (await harness.store.states(users)).states]


async def test_what_is_not_said_stays_and_versions_grow(user_choices: Choices) -> None:
    assert await user_choices.save(1, True, None) == Choice(1, 1, True, False)
    assert await user_choices.save(1, None, NOBODY) == Choice(1, 2, True, True)
    assert await user_choices.save(1, False, None) == Choice(1, 3, False, True)
    assert await user_choices.save(1, None, EVERYONE) == Choice(1, 4, False, False)
    assert await user_choices.save(2, None, NOBODY) == Choice(2, 1, False, True)


async def test_all_that_are_not_as_everybodys_are_loaded_in_pieces(
    user_choices: Choices, harness: MemoryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "USERS_PER_PAGE", 2)
    for user in range(1, 6):
        await user_choices.save(user, user % 2 == 1, NOBODY if user == 2 else EVERYONE)
    await user_choices.load()
    assert await chosen(harness, *range(1, 7)) == [
        (True, False),
        (False, True),
        (True, False),
        (False, False),
        (True, False),
        (False, False),
    ]
    assert (await harness.store.begin_sweep()).choices_loaded


async def test_with_nothing_to_load_everything_is_loaded(
    user_choices: Choices, harness: MemoryHarness
) -> None:
    await user_choices.load()
    assert (await harness.store.begin_sweep()).choices_loaded


async def test_those_who_need_them_at_once_wait_for_the_same(
    user_choices: Choices, harness: MemoryHarness
) -> None:
    await asyncio.gather(*(user_choices.load() for _ in range(5)))
    assert (await harness.store.begin_sweep()).choices_loaded
    await harness.empty()
    await user_choices.load()
    assert (await harness.store.begin_sweep()).choices_loaded


class Forgetful(MemoryHarness):
    """Loses everything a few times while it is being loaded."""

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
