"""Owns asking for many at once: while one question is under way, the next gathers all who come meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from messenger_shared.errors import AppError

Key = TypeVar("Key")
Value = TypeVar("Value")


class Gathering(Generic[Key, Value]):
    """Questions of one kind, each about up to `at_most` keys; a single one waits for nothing."""

    def __init__(self, ask: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], at_most: int) -> None:
        self._ask = ask
        self._at_most = at_most
        self._waiting: list[tuple[Key, asyncio.Future[Value]]] = []
        self._asker: asyncio.Task[None] | None = None

    async def get(self, key: Key) -> Value:
        """What is answered about `key`; fails as the question does that it was part of."""
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._asker is None:
            self._asker = asyncio.create_task(self._run(), name="gathering")
        return await answer

    async def stop(self) -> None:
        """Gives up what is being asked."""
        if self._asker is not None:
            self._asker.cancel()
            await asyncio.gather(self._asker, return_exceptions=True)
        for _, answer in self._waiting:
            answer.cancel()

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[: self._at_most], self._waiting[self._at_most :]
                await self._answer(asked)
        finally:
            self._asker = None

    async def _answer(self, asked: Sequence[tuple[Key, asyncio.Future[Value]]]) -> None:
        try:
            found = await self._ask([key for key, _ in asked])
        except BaseException as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error if isinstance(error, AppError) else asyncio.CancelledError())
            if not isinstance(error, AppError):
                raise
            return
        for key, answer in asked:
            if not answer.done():
                answer.set_result(found[key])
