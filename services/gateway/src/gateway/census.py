"""Owns counting a user's sockets over all gateways: one that is asked answers, on the user's own channel.

`PUBLISH` tells how many gateways hear it, so the asker knows how many answers to wait for: none, mostly.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import orjson

from gateway.hub import Arrival, Member
from messenger_shared import channels
from messenger_shared.bus import Bus
from messenger_shared.events import Between, Event, pack
from messenger_shared.identifiers import new_id

PATIENCE_S: Final = 0.3


class _Question:
    """What is known so far of the user's sockets at other gateways; `total` once all have answered."""

    def __init__(self) -> None:
        self.total: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._count = 0
        # None until it is known how many were asked.
        self._missing: int | None = None
        self._answers = 0

    def reached(self, gateways: int | None) -> None:
        """So many heard it, the asker among them; None when nobody knows."""
        self._missing = (gateways or 1) - 1
        self._settle()

    def answered(self, count: int) -> None:
        """One of them has so many."""
        self._count += count
        self._answers += 1
        self._settle()

    def give_up(self) -> None:
        """Goes by what is known."""
        self._missing = 0
        self._settle()

    def _settle(self) -> None:
        if self._missing is not None and self._answers >= self._missing and not self.total.done():
            self.total.set_result(self._count)


class Census:
    """Refuses the newest socket of a user who has too many, wherever the others are."""

    def __init__(self, bus: Bus, limit: int) -> None:
        self._bus = bus
        self._limit = limit
        self._questions: dict[str, _Question] = {}

    @contextmanager
    def arriving(self, member: Member) -> Iterator[Arrival]:
        """Within, the socket counts for all that come after it, though it isn't open yet."""
        arrival = Arrival(time.time_ns(), new_id())
        member.arrivals.append(arrival)
        try:
            yield arrival
        finally:
            member.arrivals.remove(arrival)

    async def is_full(self, member: Member, arrival: Arrival) -> bool:
        """Whether the user has as many sockets as he may without this one; asks before it says no.

        A gateway that doesn't answer in time counts for nothing: rather one socket too many than none.
        """
        if not self._limit:
            return False
        own = member.count_before(arrival)
        if own >= self._limit:
            return True
        question = self._questions[arrival.id] = _Question()
        patience = asyncio.get_running_loop().call_later(PATIENCE_S, question.give_up)
        try:
            self._tell(member.user_id, Between.SOCKETS_ASKED, orjson.dumps(list(arrival)), question)
            return own + await question.total >= self._limit
        finally:
            patience.cancel()
            del self._questions[arrival.id]

    def hear(self, member: Member, event: Event) -> None:
        """Another gateway's question or answer, or one's own question, on the user's channel."""
        if event.type == Between.SOCKETS_COUNTED:
            id_, count = orjson.loads(event.frame)
            if (question := self._questions.get(id_)) is not None:
                question.answered(count)
            return
        arrival = Arrival(*orjson.loads(event.frame))
        if arrival not in member.arrivals:
            answer = orjson.dumps((arrival.id, member.count_before(arrival)))
            self._tell(member.user_id, Between.SOCKETS_COUNTED, answer)

    def _tell(self, user_id: int, type_: Between, frame: bytes, question: _Question | None = None) -> None:
        message = pack([Event(type_, "", 0, user_id, frame)])
        self._bus.publish(channels.user(user_id), message, question.reached if question else None)
