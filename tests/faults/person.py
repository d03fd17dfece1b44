"""Owns a person who chats and never gives up: each thing he does is asked for until it is certain."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from itertools import count
from random import Random

from tests.faults.asking import FAIR, Outcome, attempted, until_certain
from tests.faults.attempts import (
    change_by_rest,
    change_by_socket,
    read_by_socket,
    send_by_rest,
    send_by_socket,
)
from tests.faults.device import Device
from tests.faults.history import Change, History, Send
from tests.faults.told import Key, Stored

REMEMBERED = 20
BURST = 4


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody behaves; all but the pause are chances."""

    think_s: tuple[float, float] = (0.5, 1.5)
    by_rest: float = 0.2
    edits: float = 0.06
    deletes: float = 0.04
    reads: float = 0.05
    bursts: float = 0.05


class Person:
    """One user with his devices."""

    def __init__(
        self,
        devices: list[Device],
        rooms: list[str],
        manner: Manner,
        random: Random,
        fixed: Collection[str] = (),
    ) -> None:
        self.devices = devices
        self.rooms = rooms
        # Conversations in which he changes nothing that he said.
        self._fixed = fixed
        self.user_id = devices[0].seat[0]
        self._history: History = devices[0].history
        self._manner = manner
        self._random = random
        self._numbers = count(1)
        # Own messages that are stored: what he may change.
        self._own: deque[tuple[str, Stored]] = deque(maxlen=REMEMBERED)
        self._chatting: asyncio.Task[None] | None = None
        self._silent = False

    def start(self) -> None:
        """Chats from now on."""
        self._chatting = asyncio.create_task(self._chat(), name=f"person {self.user_id}")

    async def fall_silent(self, timeout_s: float) -> None:
        """Begins nothing any more; returns when all that was asked is certain."""
        self._silent = True
        if self._chatting is not None:
            done, _ = await asyncio.wait([self._chatting], timeout=timeout_s)
            if not done:
                self.complain(f"no certainty within {timeout_s:.0f} s")
            else:
                await self._chatting

    async def stop(self) -> None:
        """Leaves."""
        if self._chatting is not None:
            self._chatting.cancel()
            await asyncio.gather(self._chatting, return_exceptions=True)
        await asyncio.gather(*(device.stop() for device in self.devices))

    async def say(self, room: str) -> None:
        """One message, through any door, until it is certain what became of it."""
        send = self.begin(room)
        if self._random.random() < self._manner.by_rest:
            await self.see_through(send, lambda: send_by_rest(self._device(), send))
        else:
            await self.see_through(send, lambda: send_by_socket(self._device().open_line(), send))

    async def try_to_say(self, room: str, *, by_rest: bool) -> Send:
        """One message, one attempt."""
        send = self.begin(room)
        device = self._device()
        if by_rest:
            outcome = await attempted(lambda: send_by_rest(device, send))
        else:
            outcome = await attempted(lambda: send_by_socket(device.open_line(), send))
        send.unknown += not outcome.certain
        if outcome.certain:
            self.conclude(send, outcome)
        return send

    def begin(self, room: str) -> Send:
        """A message that nobody was asked for yet."""
        number = next(self._numbers)
        key = Key(self.user_id, f"{self.user_id}-{number}")
        return self._history.invoked(key, room, f"{number} {self._random.random()}")

    async def see_through(self, send: Send, ask: Callable[[], Awaitable[Outcome]]) -> None:
        """Asks until it is certain."""

        def on_unknown(outcome: Outcome) -> None:
            send.unknown += 1
            self._note(outcome)

        self.conclude(send, await until_certain(ask, self._random, on_unknown))

    def complain(self, what: str) -> None:
        """He was told what he should not be."""
        self._history.refused(self.user_id, what)

    def conclude(self, send: Send, outcome: Outcome) -> None:
        """It is certain."""
        self._note(outcome)
        if outcome.data is not None:
            stored = Stored.of(outcome.data)
            self._history.stored(send, stored)
            self._own.append((send.room, stored))
        else:
            send.failed = not send.unknown

    async def _chat(self) -> None:
        manner, random = self._manner, self._random
        await asyncio.sleep(random.uniform(0, manner.think_s[1]))
        while not self._silent:
            room, chance = random.choice(self.rooms), random.random()
            if chance < manner.edits:
                await self._change(f"edit {next(self._numbers)} {random.random()}")
            elif chance < manner.edits + manner.deletes:
                await self._change(None)
            elif chance > 1 - manner.reads:
                await self._read(room)
            elif chance > 1 - manner.reads - manner.bursts:
                await self._burst(room)
            else:
                await self.say(room)
            await asyncio.sleep(random.uniform(*manner.think_s))

    async def _burst(self, room: str) -> None:
        """Several at once through one socket, which keeps their order."""
        device = self._device()
        sends = [self.begin(room) for _ in range(BURST)]
        asks = [lambda send=send: send_by_socket(device.open_line(), send) for send in sends]
        await asyncio.gather(*map(self.see_through, sends, asks))

    async def _change(self, content: str | None) -> None:
        # Others who read history know how far back they have to look for changes.
        returning = self.devices[0].returning
        young = [
            (room, message)
            for room, message in self._own
            if room not in self._fixed and returning.is_young(room, message.seq)
        ]
        if not young:
            return
        room, message = own = self._random.choice(young)
        change = Change(message.id, room, content)
        self._history.changes.append(change)
        if content is None:
            self._own.remove(own)
        if self._random.random() < self._manner.by_rest:
            outcome = await until_certain(
                lambda: change_by_rest(self._device(), change), self._random, self._note
            )
        else:
            outcome = await until_certain(
                lambda: change_by_socket(self._device().open_line(), change), self._random, self._note
            )
        self._note(outcome)
        change.acked = outcome.data is not None

    async def _read(self, room: str) -> None:
        """Reads up to the last of his own, which is somewhere near the end."""
        ids = [message.id for where, message in self._own if where == room]
        if ids:
            self._note(await attempted(lambda: read_by_socket(self._device().open_line(), ids[-1])))

    def _device(self) -> Device:
        return self._random.choice(self.devices)

    def _note(self, outcome: Outcome) -> None:
        """What nobody should be told is noted."""
        unfair = outcome.certain and outcome.data is None and outcome.code not in FAIR
        if unfair or outcome.code == "internal":
            self.complain(outcome.code)
