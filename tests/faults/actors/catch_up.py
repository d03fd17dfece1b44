"""Keeps a device's position in each conversation, and brings it up to date after a loss."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.actors.connection import Connection, Unanswered
from tests.faults.actors.gateway_client import GONE
from tests.faults.record.events import ADDED, REMOVED, Frame, ReceivedEvent
from tests.faults.record.history import REST, DeviceView

if TYPE_CHECKING:
    from tests.faults.actors.device import Device

RESUME, SUBSCRIBE, HISTORY = "resume", "subscribe", "history"
METHODS = (RESUME, SUBSCRIBE, HISTORY)
# The position of the creation is known from its answer.
CREATED_POS = 1
# A device reads history from so far below the last message, and from the first one with a pending file. Users
# change only messages half as old.
CHANGEABLE_SEQS = 300
PAGE = 100
NEWEST = 5
_NO_MEMBER = frozenset((403, 404))


class _NoMember(Exception):
    """The user is no member of the conversation."""


class CatchUp:
    """The positions of one device. A position advances only while everything up to it is known to be here."""

    def __init__(self, device: Device, method: str, rooms: list[str]) -> None:
        self.method = method
        self._device = device
        self._positions = dict.fromkeys(rooms, CREATED_POS)
        self._highest_seen = dict.fromkeys(rooms, CREATED_POS)
        self._last_seqs = dict.fromkeys(rooms, 0)
        self._newest: dict[str, deque[tuple[str, int]]] = defaultdict(lambda: deque(maxlen=NEWEST))
        # Conversation -> messages with a pending file: id -> seq.
        self._pending: dict[str, dict[str, int]] = defaultdict(dict)
        self._complete: set[str] = set()
        # Conversations whose history is being read -> the position they will have afterwards.
        self._reading_to: dict[str, int] = {}
        self._lock = asyncio.Lock()

    def has(self, room: str, pos: int) -> bool:
        """Whether the device has everything up to this position."""
        return room in self._complete and max(self._highest_seen[room], self._positions[room]) >= pos

    def is_recent(self, room: str, seq: int) -> bool:
        """Whether users may still change this message."""
        return seq > self._last_seqs[room] - CHANGEABLE_SEQS // 2

    def newest(self, room: str) -> list[tuple[str, int]]:
        """Returns the newest messages that the device knows of: id and seq."""
        return list(self._newest[room])

    def on_disconnect(self) -> None:
        """The socket is gone: every conversation may have missed something from now on."""
        self._complete.clear()
        self._reading_to.clear()

    def on_event(self, event: ReceivedEvent) -> None:
        """Takes an event that came on the present socket."""
        room, pos = event.room, event.pos
        self._advance(event)
        if event.type in (ADDED, REMOVED) and event.concerns(self._device.device_id[0]):
            self._complete.discard(room)
            self._reading_to.pop(room, None)
            if event.type == ADDED:
                # The user is a member again: what they may see may have changed meanwhile.
                self._device.run(self._fetch_again(room))
        elif room in self._complete:
            self._positions[room] = max(self._positions[room], pos)
        elif room in self._reading_to:
            self._reading_to[room] = max(self._reading_to[room], pos)

    async def run(self, connection: Connection) -> None:
        """Fetches everything that was missed; raises the exceptions in GONE when the socket ends first."""
        await self._fetch(connection, list(self._positions))

    async def _fetch_again(self, room: str) -> None:
        with suppress(*GONE):
            await self._fetch(self._device.current_connection(), [room])

    async def _fetch(self, connection: Connection, rooms: list[str]) -> None:
        async with self._lock:
            attempt = 0
            while missing := [room for room in rooms if room not in self._complete]:
                with suppress(*GONE):
                    if await self._fetch_once(connection, missing):
                        return
                if connection.ended.is_set():
                    raise Unanswered("the socket ended")
                attempt += 1
                await asyncio.sleep(self._device.backoff.pause(self._device.random, attempt))

    async def _fetch_once(self, connection: Connection, rooms: list[str]) -> bool:
        """Makes one attempt; returns False when it has to be repeated."""
        if self.method == HISTORY:
            last = await self._last_positions()
            self._reading_to |= {room: last.get(room, self._positions[room]) for room in rooms}
        elif self.method == RESUME:
            positions = {room: self._positions[room] for room in rooms}
            self._record_request(connection, positions)
            answer = await connection.request(
                "resume", partial(self._on_resumed, connection), positions=positions
            )
            if answer["type"] == "error":
                return False
        else:
            for room in rooms:
                if not await self._subscribe(connection, room):
                    return False
        for room in [room for room in rooms if room in self._reading_to]:
            await self._read(room)
        return True

    async def _subscribe(self, connection: Connection, room: str) -> bool:
        self._record_request(connection, {room: self._positions[room]})

        def on_answer(frame: Frame) -> None:
            if frame["type"] == "subscribed":
                self._on_outcome(connection, room, frame["recovered"], frame["last_pos"])

        answer = await connection.request(
            "subscribe", on_answer, conversation_id=room, after_pos=self._positions[room]
        )
        return answer["type"] != "error" or not answer["retryable"]

    def _on_resumed(self, connection: Connection, frame: Frame) -> None:
        for room, outcome in frame.get("conversations", {}).items():
            self._on_outcome(connection, room, outcome["recovered"], outcome["to"])

    def _on_outcome(self, connection: Connection, room: str, recovered: bool, to: int) -> None:
        self._view(room).answered(connection.number, to)
        if recovered:
            self._positions[room] = max(self._positions[room], to)
            self._complete.add(room)
        else:
            self._reading_to[room] = to

    async def _last_positions(self) -> dict[str, int]:
        body = await self._get(f"/sync?limit={PAGE}")
        return {row["conversation_id"]: row["last_pos"] for row in body["items"]}

    async def _read(self, room: str) -> None:
        """Reads history from the oldest message that may have changed; stops if the user is no member."""
        try:
            await self._read_history(room)
        except _NoMember:
            self._reading_to.pop(room, None)
        if (to := self._reading_to.pop(room, None)) is not None:
            self._positions[room] = max(self._positions[room], to)
            self._complete.add(room)

    async def _read_history(self, room: str) -> None:
        first_pending = min(self._pending[room].values(), default=self._last_seqs[room])
        start = max(0, min(self._last_seqs[room] - CHANGEABLE_SEQS, first_pending - 1))
        more = True
        while more:
            page = await self._get(f"/conversations/{room}/messages?after_seq={start}&limit={PAGE}")
            for item in page["items"]:
                self._note(ReceivedEvent.from_history(item))
                start = item["seq"]
            more = page["has_more"]
        pins = await self._get(f"/conversations/{room}/pins?limit={PAGE}")
        self._note(ReceivedEvent.from_pins(room, pins["items"]))

    async def _get(self, path: str) -> Any:
        reply = await self._device.gateway.call("GET", path, self._device.token)
        if reply.status in _NO_MEMBER:
            raise _NoMember
        if reply.status != 200:
            raise ConnectionError(f"{path}: {reply.status}")
        return reply.body

    def _note(self, event: ReceivedEvent) -> None:
        self._view(event.room).add(self._device.history.now(), REST, event)
        self._advance(event)

    def _advance(self, event: ReceivedEvent) -> None:
        room = event.room
        self._highest_seen[room] = max(self._highest_seen[room], event.pos)
        if event.message is not None and event.message.seq > self._last_seqs[room]:
            self._last_seqs[room] = event.message.seq
            self._newest[room].append((event.message.id, event.message.seq))
        if event.attached is not None and event.attached.is_pending:
            if event.message is not None:
                self._pending[room][event.message.id] = event.message.seq
        elif self._pending[room] and (subject := event.message or event.attached) is not None:
            self._pending[room].pop(subject.id, None)

    def _record_request(self, connection: Connection, positions: dict[str, int]) -> None:
        for room, pos in positions.items():
            view = self._view(room)
            view.requests.append((len(view.events), connection.number, pos))

    def _view(self, room: str) -> DeviceView:
        return self._device.history.view(self._device.device_id, room)
