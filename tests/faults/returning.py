"""Owns where a device stands in each conversation, and how it gets there again after a loss."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.door import GONE
from tests.faults.history import REST, View
from tests.faults.line import Line, Unanswered
from tests.faults.told import ADDED, REMOVED, Frame, Told

if TYPE_CHECKING:
    from tests.faults.device import Device

RESUME, SUBSCRIBE, HISTORY = "resume", "subscribe", "history"
WAYS = (RESUME, SUBSCRIBE, HISTORY)
# The creation is known from its answer.
CREATED_POS = 1
# Pages of history begin so far below the last message: people change none that is half as old.
CHANGED_SEQS = 300
PAGE = 100
_OUT = frozenset((403, 404))


class Returning:
    """One device's positions. A position is moved only while everything up to it is known to be here."""

    def __init__(self, device: Device, way: str, rooms: list[str]) -> None:
        self.way = way
        self._device = device
        self._stands = dict.fromkeys(rooms, CREATED_POS)
        self._seen = dict.fromkeys(rooms, CREATED_POS)
        self._seqs = dict.fromkeys(rooms, 0)
        self._whole: set[str] = set()
        # Conversations whose history is being read -> where they will stand when it is.
        self._reading: dict[str, int] = {}
        self._asking = asyncio.Lock()

    def has(self, room: str, pos: int) -> bool:
        """Whether the device has got so far."""
        return room in self._whole and max(self._seen[room], self._stands[room]) >= pos

    def is_young(self, room: str, seq: int) -> bool:
        """Whether a message is one that people may still change."""
        return seq > self._seqs[room] - CHANGED_SEQS // 2

    def forget(self) -> None:
        """The socket is gone: from now on something may be missing everywhere."""
        self._whole.clear()
        self._reading.clear()

    def told(self, told: Told) -> None:
        """Something came on the present socket."""
        room, pos = told.room, told.pos
        self._note(told)
        if told.user_id == self._device.seat[0] and told.type in (ADDED, REMOVED):
            self._whole.discard(room)
            self._reading.pop(room, None)
            if told.type == ADDED:
                # In again: what he may see may have changed meanwhile.
                self._device.run(self._ask_again(room))
        elif room in self._whole:
            self._stands[room] = max(self._stands[room], pos)
        elif room in self._reading:
            self._reading[room] = max(self._reading[room], pos)

    async def come_back(self, line: Line) -> None:
        """Fetches what was missed everywhere; raises what is in GONE when the socket ends meanwhile."""
        await self._ask(line, list(self._stands))

    async def _ask_again(self, room: str) -> None:
        with suppress(*GONE):
            await self._ask(self._device.open_line(), [room])

    async def _ask(self, line: Line, rooms: list[str]) -> None:
        async with self._asking:
            attempt = 0
            while missing := [room for room in rooms if room not in self._whole]:
                with suppress(*GONE):
                    if await self._asked(line, missing):
                        return
                if line.ended.is_set():
                    raise Unanswered("the socket ended")
                attempt += 1
                await asyncio.sleep(self._device.backoff.pause(self._device.random, attempt))

    async def _asked(self, line: Line, rooms: list[str]) -> bool:
        """One attempt; False when it has to be made again."""
        if self.way == HISTORY:
            self._reading |= {room: self._stands[room] for room in rooms}
        elif self.way == RESUME:
            positions = {room: self._stands[room] for room in rooms}
            self._note_asked(line, positions)
            answer = await line.request("resume", partial(self._on_resumed, line), positions=positions)
            if answer["type"] == "error":
                return False
        else:
            for room in rooms:
                if not await self._subscribed(line, room):
                    return False
        for room in [room for room in rooms if room in self._reading]:
            await self._read(room)
        return True

    async def _subscribed(self, line: Line, room: str) -> bool:
        self._note_asked(line, {room: self._stands[room]})

        def on_answer(frame: Frame) -> None:
            if frame["type"] == "subscribed":
                self._on_outcome(line, room, frame["recovered"], frame["last_pos"])

        answer = await line.request(
            "subscribe", on_answer, conversation_id=room, after_pos=self._stands[room]
        )
        return answer["type"] != "error" or not answer["retryable"]

    def _on_resumed(self, line: Line, frame: Frame) -> None:
        for room, outcome in frame.get("conversations", {}).items():
            self._on_outcome(line, room, outcome["recovered"], outcome["to"])

    def _on_outcome(self, line: Line, room: str, recovered: bool, to: int) -> None:
        self._view(room).stood[line.number] = to
        if recovered:
            self._stands[room] = max(self._stands[room], to)
            self._whole.add(room)
        else:
            self._reading[room] = to

    async def _read(self, room: str) -> None:
        """The history, from where it may have changed; nothing of it if the user is out."""
        device, start = self._device, max(0, self._seqs[room] - CHANGED_SEQS)
        more = True
        while more:
            path = f"/conversations/{room}/messages?after_seq={start}&limit={PAGE}"
            reply = await device.door.call("GET", path, device.token)
            if reply.status in _OUT:
                self._reading.pop(room, None)
                return
            if reply.status != 200:
                raise ConnectionError(f"history: {reply.status}")
            for item in reply.body["items"]:
                told = Told.from_history(item)
                self._view(room).add(device.history.now(), REST, told)
                self._note(told)
                start = item["seq"]
            more = reply.body["has_more"]
        if (to := self._reading.pop(room, None)) is not None:
            self._stands[room] = max(self._stands[room], to)
            self._whole.add(room)

    def _note(self, told: Told) -> None:
        room = told.room
        self._seen[room] = max(self._seen[room], told.pos)
        if told.message is not None:
            self._seqs[room] = max(self._seqs[room], told.message.seq)

    def _note_asked(self, line: Line, positions: dict[str, int]) -> None:
        for room, pos in positions.items():
            view = self._view(room)
            view.asked.append((len(view.told), line.number, pos))

    def _view(self, room: str) -> View:
        return self._device.history.view(self._device.seat, room)
