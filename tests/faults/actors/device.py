"""A device of one user: it keeps one socket open, reconnects after every loss and logs what it receives."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from tests.faults.actors.catch_up import CatchUp
from tests.faults.actors.connection import Connection, Unanswered
from tests.faults.actors.gateway_client import GONE, GatewayClient
from tests.faults.record.events import FrameReader, ReceivedEvent
from tests.faults.record.history import DeviceId, History

# After so many doublings the ceiling is reached with any setting.
_DOUBLINGS = 16
# With these close codes the server forbids a reconnect. A client that keeps to the protocol never gets one.
FINAL_CLOSE_CODES = frozenset((1002, 1003, 1007, 1008, 1009, *range(4500, 5000)))


class Backoff(NamedTuple):
    """Exponential backoff with full jitter: a random pause between zero and a ceiling that doubles."""

    first_s: float = 0.1
    longest_s: float = 2.0

    def pause(self, random: Random, attempt: int) -> float:
        """Returns the pause in seconds before this attempt; attempts count from 1."""
        return random.uniform(0, min(self.longest_s, self.first_s * 2 ** min(attempt, _DOUBLINGS)))


class Device:
    """One device of one user, in the conversations `rooms`. `method` is how it catches up."""

    def __init__(
        self,
        device_id: DeviceId,
        gateway: GatewayClient,
        rooms: list[str],
        method: str,
        history: History,
        reader: FrameReader,
        random: Random,
        backoff: Backoff | None = None,
    ) -> None:
        self.device_id = device_id
        self.gateway = gateway
        self.random = random
        self.backoff = backoff or Backoff()
        self.history = history
        self.token = gateway.token(device_id[0])
        self.catch_up = CatchUp(self, method, rooms)
        # For each loss: when it began, and when everything that was missed had come.
        self.catch_up_times: list[tuple[float, float]] = []
        self.connection: Connection | None = None
        self._reader = reader
        self._sockets = 0
        self._lost_at = self._up_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_up_to_date(self) -> bool:
        """Whether it is connected and has missed nothing."""
        return self._up_since > 0

    def start(self) -> None:
        """Connects, and reconnects after every loss from then on."""
        self.run(self._keep_connected())

    async def stop(self) -> None:
        """Disconnects for good."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.connection is not None:
            self.connection.leave()
        self._on_loss()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a task that ends with the device."""
        task = asyncio.create_task(work, name=f"device {self.device_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def record_up_to_date(self) -> None:
        """Notes that the device was up to date until now."""
        if self._up_since:
            now = self.history.now()
            self.history.up_to_date_spans[self.device_id].append((self._up_since, now))
            self._up_since = now

    def current_connection(self) -> Connection:
        """Returns the present socket; raises Unanswered when there is none."""
        if self.connection is None:
            raise Unanswered("no socket")
        return self.connection

    async def _keep_connected(self) -> None:
        attempt = 0
        while True:
            with suppress(*GONE):
                connection = await self._open()
                attempt = 0
                await self.catch_up.run(connection)
                self._on_caught_up()
                if await connection.should_leave():
                    # The server asked the device to leave: it opens the next socket before it closes this
                    # one.
                    continue
            attempt += 1
            await asyncio.sleep(self.backoff.pause(self.random, attempt))

    async def _open(self) -> Connection:
        self._sockets += 1
        on_offline = self.history.shown_offline.update
        connection = Connection(
            self.device_id, self._sockets, self._reader, self._on_event, on_offline, self._on_end
        )
        await connection.open(self.gateway, self.token)
        if self.connection is not None:
            self.connection.leave()
        self._on_loss()
        self.connection = connection
        return connection

    def _on_caught_up(self) -> None:
        self._up_since = self.history.now()
        self.catch_up_times.append((self._lost_at, self._up_since))

    def _on_loss(self) -> None:
        if self._up_since:
            self.record_up_to_date()
            self._lost_at, self._up_since = self._up_since, 0.0
        self.catch_up.on_disconnect()

    def _on_event(self, connection: Connection, event: ReceivedEvent) -> None:
        self.history.view(self.device_id, event.room).add(self.history.now(), connection.number, event)
        if connection is self.connection:
            self.catch_up.on_event(event)

    def _on_end(self, connection: Connection, code: int, reason: str) -> None:
        self.history.close_codes[code] += 1
        if code in FINAL_CLOSE_CODES:
            self.history.refused(self.device_id[0], f"closed for good: {code} {reason}")
        if connection is self.connection:
            self.connection = None
            self._on_loss()
