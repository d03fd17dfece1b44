"""Keys that are asked for together or shortly one after the other are loaded together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.rpc.batch_loader import BatchLoader
from tests.waiting import until

MAX_BATCH = 3


class Source:
    """Answers each key with its length, when it may."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.loader = BatchLoader(self._load, MAX_BATCH)

    async def ask_all(self, *keys: str) -> list[asyncio.Future[int]]:
        """Asks for each key in a turn of the loop of its own."""
        answers = []
        for key in keys:
            answers.append(self.loader.get(key))
            await asyncio.sleep(0)
        return answers

    async def _load(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.batches.append(list(keys))
        await self.may_answer.wait()
        if "bad" in keys:
            raise AppError(errors.UNAVAILABLE)
        return {key: len(key) for key in keys}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    source = Source()
    yield source
    await source.loader.stop()


async def test_keys_that_come_during_a_request_go_into_the_next_together(source: Source) -> None:
    tasks = await source.ask_all("a", "bb", "ccc")
    source.may_answer.set()
    assert await asyncio.gather(*tasks) == [1, 2, 3]
    assert source.batches == [["a"], ["bb", "ccc"]]


async def test_after_a_request_for_several_keys_the_next_gathers_too(source: Source) -> None:
    first = await source.ask_all("a", "b", "c")
    source.may_answer.set()
    await asyncio.gather(*first)
    await asyncio.gather(*await source.ask_all("d", "e"))
    assert source.batches == [["a"], ["b", "c"], ["d", "e"]]


async def test_after_a_request_for_one_key_the_next_is_loaded_at_once(source: Source) -> None:
    source.may_answer.set()
    await asyncio.gather(*await source.ask_all("a"))
    await source.ask_all("b")
    await until(lambda: len(source.batches) == 2)
    assert source.batches == [["a"], ["b"]]


async def test_a_full_batch_waits_for_no_more(source: Source) -> None:
    tasks = await source.ask_all("a", *("b", "c", "d"), *("e", "f", "g"), "h")
    source.may_answer.set()
    await asyncio.gather(*tasks)
    assert source.batches == [["a"], ["b", "c", "d"], ["e", "f", "g"], ["h"]]


async def test_an_error_reaches_all_callers_of_its_request_and_no_others(source: Source) -> None:
    tasks = await source.ask_all("a", "bad", "b")
    source.may_answer.set()
    first, *others = await asyncio.gather(*tasks, return_exceptions=True)
    assert first == 1
    assert [error.kind for error in others if isinstance(error, AppError)] == [errors.UNAVAILABLE] * 2
    assert await source.loader.get("c") == 1


async def test_stopping_cancels_who_waits(source: Source) -> None:
    tasks = await source.ask_all("a", "b")
    await source.loader.stop()
    assert all(
        isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True)
    )
