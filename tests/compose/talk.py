"""Owns a talk that goes on while containers come and go, and what must be true of it afterwards."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any

import aiohttp

from tests.client import NoSuchFrame, Person
from tests.documented import Undocumented
from tests.waiting import until

PAUSE_S = 0.05
PATIENCE_S = 60.0
# So many messages show that all is well again.
PROOF = 20
# A proxy whose gateway dies in the middle of an answer has answers of its own.
_AWAY = (aiohttp.ClientError, TimeoutError, OSError, NoSuchFrame, Undocumented)


class Talk:
    """One user sends without a pause, as a client does that gives up nothing; another one listens."""

    def __init__(self, sender: Person, listener: Person) -> None:
        self._sender = sender
        self._listener = listener
        self._conversation = ""
        self._acknowledged: list[str] = []
        # pos -> message id, as the listener's sockets told it.
        self._heard: dict[int, str] = {}
        self._pos = 0
        self.longest_s = 0.0
        self.reconnects = -1
        self._ends = asyncio.Event()

    async def __aenter__(self) -> Talk:
        self._conversation = await self._sender.create_group(self._listener.user_id)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def goes_on(self) -> None:
        """Returns when messages go through again, sent from now on."""
        begun = len(self._acknowledged)
        await until(lambda: len(self._acknowledged) >= begun + PROOF or self._tasks[0].done(), PATIENCE_S)

    async def finish(self) -> str:
        """Stops sending, waits for the last message, and judges; a line that says how it went."""
        self._ends.set()
        await asyncio.wait_for(self._tasks[0], PATIENCE_S)
        await until(lambda: set(self._acknowledged) <= set(self._heard.values()), PATIENCE_S)
        stored = await self._history()
        assert sorted(stored) == sorted(self._acknowledged), "stored is what was acknowledged, each once"
        positions = sorted(self._heard)
        assert positions == list(range(positions[0], positions[0] + len(positions))), (
            "no hole in what was heard"
        )
        return (
            f"{len(stored)} messages acknowledged, stored once and heard in order; "
            f"longest wait {self.longest_s:.1f} s, {self.reconnects} reconnects"
        )

    async def _send(self) -> None:
        while not self._ends.is_set():
            key, begun = uuid.uuid4().hex, time.monotonic()
            path = f"/conversations/{self._conversation}/messages"
            while True:
                with suppress(*_AWAY):
                    reply = await self._sender.post(path, {"content": key}, idempotency_key=key)
                    if reply.status in (200, 201):
                        break
                    assert reply.status in (502, 503, 504), reply
                assert time.monotonic() - begun < PATIENCE_S, "nobody takes a message any more"
                await asyncio.sleep(PAUSE_S)
            self._acknowledged.append(reply.body["id"])
            self.longest_s = max(self.longest_s, time.monotonic() - begun)
            await asyncio.sleep(PAUSE_S)

    async def _listen(self) -> None:
        while True:
            with suppress(*_AWAY, AssertionError):
                socket = await self._listener.connect()
                self.reconnects += 1
                await socket.send("resume", positions={self._conversation: self._pos}, ref="back")
                while True:
                    frame = await socket.wait(lambda _: True, timeout_s=PATIENCE_S)
                    if frame.get("event") == "draining":
                        break
                    self._hear(frame)
            await asyncio.sleep(PAUSE_S)

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame.get("conversation_id") == self._conversation and "pos" in frame:
            self._pos = max(self._pos, frame["pos"])
            if frame["type"] == "message.new":
                self._heard[frame["pos"]] = frame["data"]["id"]

    async def _history(self) -> list[str]:
        ids: list[str] = []
        after = 0
        while True:
            path = f"/conversations/{self._conversation}/messages"
            reply = await self._listener.get(path, after_seq=after, limit=100)
            ids += [message["id"] for message in reply.body["items"]]
            if not reply.body["has_more"]:
                return ids
            after = reply.body["items"][-1]["seq"]
