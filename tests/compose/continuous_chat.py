"""A conversation that goes on while containers come and go, and the checks on it afterwards."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import suppress
from typing import Any

import aiohttp

from tests.client import NoSuchFrame, Socket, User
from tests.documented import Undocumented
from tests.waiting import until

PAUSE_S = 0.05
TIMEOUT_S = 60.0
# So many messages prove that all is well again.
ENOUGH_MESSAGES = 20
# When a gateway dies in the middle of an answer, the proxy sends an answer of its own.
_UNAVAILABLE = (aiohttp.ClientError, TimeoutError, OSError, NoSuchFrame, Undocumented)


class ContinuousChat:
    """One user sends without a pause and repeats what fails, as a real client does; another one listens."""

    def __init__(self, sender: User, listener: User) -> None:
        self._sender = sender
        self._listener = listener
        self._conversation = ""
        self._acknowledged: list[str] = []
        # pos -> message id, as the listener's sockets received it.
        self._received: dict[int, str] = {}
        self._pos = 0
        # For the sender; then for the listener, from the end of a socket to the welcome on the next.
        self.longest_s = 0.0
        # What each try of the message with the longest wait met.
        self.longest_attempts: list[str] = []
        self.longest_away_s = 0.0
        self.reconnects = -1
        self._ends = asyncio.Event()

    async def __aenter__(self) -> ContinuousChat:
        self._conversation = await self._sender.create_group(self._listener.user_id)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def wait_until_flowing(self) -> None:
        """Returns when messages that are sent from now on go through again."""
        begun = len(self._acknowledged)
        await until(
            lambda: len(self._acknowledged) >= begun + ENOUGH_MESSAGES or self._tasks[0].done(), TIMEOUT_S
        )

    async def finish(self) -> str:
        """Stops sending, waits for the last message, and judges; returns a line with the result."""
        self._ends.set()
        await asyncio.wait_for(self._tasks[0], TIMEOUT_S)
        await until(lambda: set(self._acknowledged) <= set(self._received.values()), TIMEOUT_S)
        stored = await self._history()
        assert sorted(stored) == sorted(self._acknowledged), "stored is what was acknowledged, each once"
        positions = sorted(self._received)
        assert positions == list(range(positions[0], positions[0] + len(positions))), (
            "no hole in what was heard"
        )
        return (
            f"{len(stored)} messages acknowledged, stored once and heard in order; "
            f"longest wait {self.longest_s:.1f} s, {self.reconnects} reconnects, "
            f"without a socket {self.longest_away_s:.1f} s"
        )

    async def _send(self) -> None:
        while not self._ends.is_set():
            begun, attempts = time.monotonic(), []
            self._acknowledged.append(await self._send_one(uuid.uuid4().hex, begun, attempts))
            wait_s = time.monotonic() - begun
            if wait_s > self.longest_s:
                self.longest_s, self.longest_attempts = wait_s, attempts
            await asyncio.sleep(PAUSE_S)

    async def _send_one(self, key: str, begun: float, attempts: list[str]) -> str:
        """Repeats one message until it is acknowledged. Adds to `attempts` what each failed try met."""
        path = f"/conversations/{self._conversation}/messages"
        while True:
            tried = time.monotonic()
            try:
                reply = await self._sender.post(path, {"content": key}, idempotency_key=key)
            except _UNAVAILABLE as error:
                failure = repr(error)
            else:
                if reply.status in (200, 201):
                    return str(reply.body["id"])
                assert reply.status in (502, 503, 504), reply
                failure = f"{reply.status} {reply.body['code']}"
            attempts.append(f"{failure} after {time.monotonic() - tried:.2f} s")
            assert time.monotonic() - begun < TIMEOUT_S, "nobody takes a message any more"
            await asyncio.sleep(PAUSE_S)

    async def _receive(self) -> None:
        ended = time.monotonic()
        while True:
            with suppress(*_UNAVAILABLE, AssertionError):
                socket = await self._listener.connect()
                self.reconnects += 1
                self.longest_away_s = max(self.longest_away_s, time.monotonic() - ended)
                await socket.send("resume", positions={self._conversation: self._pos}, ref="back")
                await self._read_frames(socket)
                ended = time.monotonic()
            await asyncio.sleep(PAUSE_S)

    async def _read_frames(self, socket: Socket) -> None:
        """Reads frames until the socket ends or is told to reconnect elsewhere."""
        with suppress(NoSuchFrame):
            while True:
                frame = await socket.wait(lambda _: True, timeout_s=TIMEOUT_S)
                if frame.get("event") == "draining":
                    return
                self._record(frame)

    def _record(self, frame: dict[str, Any]) -> None:
        if frame.get("conversation_id") == self._conversation and "pos" in frame:
            self._pos = max(self._pos, frame["pos"])
            if frame["type"] == "message.new":
                self._received[frame["pos"]] = frame["data"]["id"]

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
