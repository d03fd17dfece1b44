"""Counts a user's sockets over all gateways. Gateways ask and answer on the user's own bus channel.

`PUBLISH` returns how many gateways received the request, and so how many answers to wait for.
Mostly there is none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import orjson

from gateway.connections.hub import Arrival, Member
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract.events import Event, InternalEvent, pack
from messenger_shared.contract.identifiers import new_id

ANSWER_TIMEOUT_S: Final = 0.3


class _CountRequest:
    """Adds up the answers of the other gateways. `total` is done once all have answered."""

    def __init__(self) -> None:
        self.total: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._count = 0
        # The number of answers to wait for; None until `PUBLISH` has returned.
        self._expected: int | None = None
        self._answers = 0

    def set_receivers(self, gateways: int | None) -> None:
        """Takes the number of gateways that were asked, this one included; None if unknown."""
        self._expected = (gateways or 1) - 1
        self._finish_if_complete()

    def add_answer(self, count: int) -> None:
        """Takes one gateway's number of sockets."""
        self._count += count
        self._answers += 1
        self._finish_if_complete()

    def give_up(self) -> None:
        """Stops waiting: `total` is the sum so far."""
        self._expected = 0
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        if self._expected is not None and self._answers >= self._expected and not self.total.done():
            self.total.set_result(self._count)


class SocketCounter:
    """Detects when a new socket exceeds the user's limit, whichever gateways hold the others."""

    def __init__(self, bus: Bus, limit: int) -> None:
        self._bus = bus
        self._limit = limit
        self._requests: dict[str, _CountRequest] = {}

    @contextmanager
    def arriving(self, member: Member) -> Iterator[Arrival]:
        """While the context is open, later arrivals count this socket, although it isn't open yet."""
        arrival = Arrival(time.time_ns(), new_id())
        member.arrivals.append(arrival)
        try:
            yield arrival
        finally:
            member.arrivals.remove(arrival)

    async def is_limit_reached(self, member: Member, arrival: Arrival) -> bool:
        """Whether the user already has all the sockets that the limit allows, without this one.

        A gateway that doesn't answer within ANSWER_TIMEOUT_S counts as 0: a socket too many is better than
        none.
        """
        if not self._limit:
            return False
        own = member.count_before(arrival)
        if own >= self._limit:
            return True
        request = self._requests[arrival.id] = _CountRequest()
        timer = asyncio.get_running_loop().call_later(ANSWER_TIMEOUT_S, request.give_up)
        try:
            self._publish(member.user_id, InternalEvent.SOCKETS_ASKED, orjson.dumps(list(arrival)), request)
            return own + await request.total >= self._limit
        finally:
            timer.cancel()
            del self._requests[arrival.id]

    def handle_event(self, member: Member, event: Event) -> None:
        """Handles a request or an answer from the user's channel, this worker's own request included."""
        if event.type == InternalEvent.SOCKETS_COUNTED:
            id_, count = orjson.loads(event.frame)
            if (request := self._requests.get(id_)) is not None:
                request.add_answer(count)
            return
        arrival = Arrival(*orjson.loads(event.frame))
        if arrival not in member.arrivals:
            answer = orjson.dumps((arrival.id, member.count_before(arrival)))
            self._publish(member.user_id, InternalEvent.SOCKETS_COUNTED, answer)

    def _publish(
        self, user_id: int, type_: InternalEvent, frame: bytes, request: _CountRequest | None = None
    ) -> None:
        message = pack([Event(type_, "", 0, user_id, frame)])
        self._bus.publish(channels.user(user_id), message, request.set_receivers if request else None)
