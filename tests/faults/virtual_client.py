"""Owns a person who chats and never gives up: comes back, asks again, catches up, and logs all of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import Any

import aiohttp

from tests.client import Frame, NoSuchFrame, Person, Reply, Socket
from tests.faults.history import History, Key

ANSWER_S = 5.0
SILENCE_S = 60.0
THINK_S = (0.02, 0.08)
BACKOFF_FIRST_S = 0.1
BACKOFF_LONGEST_S = 2.0
# Of ten messages, so many go through the REST door.
BY_REST = 2

GONE = (aiohttp.ClientError, NoSuchFrame, TimeoutError, ConnectionError)


class VirtualClient:
    """One member of some conversations, with one socket at a time."""

    def __init__(self, person: Person, rooms: list[str], history: History, random: Random) -> None:
        self.person = person
        self.reconnects = -1
        self.last_seq = dict.fromkeys(rooms, 0)
        self._last_pos = dict.fromkeys(rooms, 0)
        self._history = history
        self._random = random
        self._socket: Socket | None = None
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._chatting = True
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Comes, and chats from then on."""
        self._tasks = [
            asyncio.create_task(self._stay(), name="stay"),
            asyncio.create_task(self._chat(), name="chat"),
        ]

    async def fall_silent(self, timeout_s: float) -> None:
        """Ends the chatting when the message under way is certain; goes on to listen."""
        self._chatting = False
        async with asyncio.timeout(timeout_s):
            await self._tasks[1]

    async def stop(self) -> None:
        """Leaves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stay(self) -> None:
        attempt = 0
        while True:
            with suppress(*GONE):
                socket = await self.person.connect()
                self.reconnects += 1
                await self._catch_up()
                self._socket, attempt = socket, 0
                await self._listen(socket)
            self._lose_socket()
            attempt += 1
            await self._back_off(attempt)

    async def _catch_up(self) -> None:
        """What was said meanwhile. Live frames wait in the socket, so that none falls between the two."""
        for room in self.last_seq:
            more = True
            while more:
                reply = await self.person.get(
                    f"/conversations/{room}/messages", after_seq=self.last_seq[room]
                )
                if reply.status != 200:
                    raise ConnectionError(f"history: {reply.status}")
                for message in reply.body["items"]:
                    self._deliver(message)
                more = reply.body["has_more"]

    async def _listen(self, socket: Socket) -> None:
        while True:
            frame = await socket.wait(lambda frame: True, timeout_s=SILENCE_S)
            if frame["type"] == "message.new":
                self._deliver(frame["data"])
            elif (answer := self._answers.get(frame.get("ref", ""))) is not None and not answer.done():
                answer.set_result(frame)

    def _deliver(self, message: dict[str, Any]) -> None:
        """Drops repeats by `pos`, as the protocol says; whatever else comes is logged as it came."""
        room = message["conversation_id"]
        if message["pos"] <= self._last_pos.get(room, 0):
            return
        self._history.delivered(self.person.user_id, message)
        self._last_pos[room] = message["pos"]
        self.last_seq[room] = message["seq"]

    def _lose_socket(self) -> None:
        self._socket = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the socket ended"))

    async def _chat(self) -> None:
        number = 0
        while self._chatting:
            await asyncio.sleep(self._random.uniform(*THINK_S))
            number += 1
            await self._say(self._random.choice(list(self.last_seq)), f"{self.person.user_id}-{number}")

    async def _say(self, room: str, client_message_id: str) -> None:
        """One message, asked for with the same id until it is certain what became of it."""
        content = f"{client_message_id} {self._random.random()}"
        key = Key(self.person.user_id, client_message_id)
        by_rest = self._random.randrange(10) < BY_REST
        self._history.invoked(room, key, content)
        attempt = 0
        while True:
            try:
                ask = self._post if by_rest else self._send
                stored, final = await ask(room, client_message_id, content)
            except GONE:
                stored, final = None, False
            if stored is not None:
                return self._history.acked(room, key, stored)
            if final:
                return self._history.failed(room, key)
            self._history.unknown(room, key)
            attempt += 1
            await self._back_off(attempt)

    async def _send(
        self, room: str, client_message_id: str, content: str
    ) -> tuple[dict[str, Any] | None, bool]:
        """The stored message, or None and whether that is final."""
        if self._socket is None:
            raise ConnectionError("no socket")
        ref = f"{client_message_id}/{self._random.random()}"[:64]
        answer = self._answers[ref] = asyncio.get_running_loop().create_future()
        try:
            fields = {"conversation_id": room, "content": content, "client_message_id": client_message_id}
            await self._socket.send("message.send", ref=ref, **fields)
            async with asyncio.timeout(ANSWER_S):
                frame = await answer
        finally:
            del self._answers[ref]
        return frame.get("data"), not frame.get("retryable", True)

    async def _post(
        self, room: str, client_message_id: str, content: str
    ) -> tuple[dict[str, Any] | None, bool]:
        path = f"/conversations/{room}/messages"
        reply: Reply = await self.person.post(path, {"content": content}, idempotency_key=client_message_id)
        if reply.status in (200, 201):
            return reply.body, True
        return None, reply.status < 500 and reply.status != 429

    async def _back_off(self, attempt: int) -> None:
        await asyncio.sleep(self._random.uniform(0, min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2**attempt)))
