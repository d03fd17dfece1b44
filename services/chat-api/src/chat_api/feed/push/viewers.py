"""Asks all gateways who looks at conversations."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.bus.viewers import Question, unpack_answer
from messenger_shared.contract.errors import AppError

# A gateway that hasn't answered by then is taken as one where nobody looks.
ANSWER_S: Final = 0.25

Looking = set[tuple[str, int]]


@dataclass
class _Asked:
    """A question under way."""

    all_answered: asyncio.Future[None]
    # How many gateways got it; None until Redis has told.
    expected: int | None = None
    answers: int = 0
    looking: Looking = field(default_factory=set)

    def check(self) -> None:
        """Ends the wait if all have answered."""
        if self.expected is not None and self.answers >= self.expected and not self.all_answered.done():
            self.all_answered.set_result(None)


class Viewers:
    """Who looks at which conversation now, as far as the gateways answer in time."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._numbers = count(1)
        self._asked: dict[int, _Asked] = {}

    async def start(self) -> None:
        """Subscribes to answers. If Redis is away, the bus does so when it is back."""
        with contextlib.suppress(AppError):
            await self._bus.subscribe([channels.viewers_answer(self._bus.worker)], self._on_answer)

    async def stop(self) -> None:
        """Unsubscribes."""
        self._bus.unsubscribe([channels.viewers_answer(self._bus.worker)])

    async def ask(self, users: Mapping[str, Sequence[int]]) -> tuple[Looking, bool]:
        """(conversation, user) for those among the users who look, and whether every gateway has answered."""
        asked = _Asked(asyncio.get_running_loop().create_future())
        number = next(self._numbers)
        self._asked[number] = asked

        def on_receipt(reached: int | None) -> None:
            asked.expected = reached
            asked.check()

        try:
            question = Question(self._bus.worker, number, users)
            self._bus.publish(channels.VIEWERS, question.pack(), on_receipt)
            async with asyncio.timeout(ANSWER_S):
                await asked.all_answered
        except TimeoutError:
            return asked.looking, False
        finally:
            del self._asked[number]
        return asked.looking, True

    def _on_answer(self, payload: bytes) -> None:
        answer = unpack_answer(payload)
        asked = self._asked.get(answer.number)
        if asked is not None:
            asked.answers += 1
            asked.looking.update((id_, user) for id_, users in answer.users.items() for user in users)
            asked.check()
