"""Joins requests: keys that are asked for while a request is under way go into the next one together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from messenger_shared.contract.errors import AppError

Key = TypeVar("Key")
Value = TypeVar("Value")

# When many keys come one after the other, so many seconds' worth of them go into one request. It costs each
# caller a few milliseconds, and halves what a reconnect storm costs the service that is asked.
GATHER_S: Final = 0.005


class BatchLoader(Generic[Key, Value]):
    """Loads up to `max_batch` keys per request.

    If no request is under way, a key is loaded at once. After a request for several keys, it waits GATHER_S
    for more.
    """

    def __init__(
        self, load: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Value]]], max_batch: int
    ) -> None:
        self._load = load
        self._max_batch = max_batch
        self._waiting: list[tuple[Key, asyncio.Future[Value]]] = []
        self._task: asyncio.Task[None] | None = None

    def get(self, key: Key) -> asyncio.Future[Value]:
        """The value for `key`, or the AppError of the request that it was part of."""
        answer: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="batch loader")
        return answer

    async def stop(self) -> None:
        """Cancels the request under way and all waiting callers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, answer in self._waiting:
            answer.cancel()

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
                await self._resolve(batch)
                if len(batch) > 1 and len(self._waiting) < self._max_batch:
                    await asyncio.sleep(GATHER_S)
        finally:
            self._task = None

    async def _resolve(self, batch: Sequence[tuple[Key, asyncio.Future[Value]]]) -> None:
        try:
            found = await self._load([key for key, _ in batch])
        except BaseException as error:
            for _, answer in batch:
                if isinstance(error, AppError) and not answer.done():
                    answer.set_exception(error)
                else:
                    answer.cancel()
            if not isinstance(error, AppError):
                raise
            return
        for key, answer in batch:
            if not answer.done():
                answer.set_result(found[key])
