"""The sockets that receive presence: each one views the common conversation and subscribes to some users."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp

from tests.bench.presence.bench_stack import BenchStack
from tests.bench.programs import BenchError

_PRESENCE = (b'{"type":"presence.batch"', b'{"type":"user.')
_ROWS = b'{"user_id":'
_OPEN_S = 30.0
_AT_ONCE = 20
WINDOW_S = 1.0


class Viewer:
    """One socket, and the times of its presence frames."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.arrivals: list[float] = []
        self.rows = 0
        self._socket = socket
        self._reader: asyncio.Task[None] | None = None

    async def subscribe(self, room: str, watched: Sequence[int]) -> None:
        """Views the conversation and subscribes to these users; reads from then on."""
        await self._ask({"type": "subscribe", "conversation_id": room, "ref": "s"}, "subscribed")
        state = await self._ask(
            {"type": "presence.watch", "user_ids": list(watched), "ref": "w"}, "presence.state"
        )
        if len(state["users"]) != len(watched):
            raise BenchError(f"of {len(watched)} users, {len(state['users'])} are watched")
        self._reader = asyncio.create_task(self._read(), name="viewer")

    async def close(self) -> None:
        """Closes the socket."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()

    def most_in_a_second(self) -> int:
        """Returns the largest number of presence frames within one second."""
        return max(
            (sum(at <= other < at + WINDOW_S for other in self.arrivals) for at in self.arrivals), default=0
        )

    async def _ask(self, frame: dict[str, Any], answer: str) -> dict[str, Any]:
        await self._socket.send_json(frame)
        async with asyncio.timeout(_OPEN_S):
            while True:
                found: dict[str, Any] = json.loads((await self._socket.receive()).data)
                if found["type"] == answer:
                    return found
                if found["type"] == "error":
                    raise BenchError(f"{frame['type']}: {found}")

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        async for message in self._socket:
            data = message.data.encode()
            if data.startswith(_PRESENCE):
                self.arrivals.append(loop.time())
                self.rows += max(1, data.count(_ROWS))


@contextlib.asynccontextmanager
async def open_viewers(
    bench_stack: BenchStack, room: str, viewers: Sequence[int], users: Sequence[int], watched: int
) -> AsyncIterator[list[Viewer]]:
    """Yields the viewers; their subscriptions cover as many of all users as they can."""
    gate = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def open_one(number: int, user_id: int) -> Viewer:
            async with gate, asyncio.timeout(_OPEN_S):
                socket = await http.ws_connect(
                    bench_stack.socket_url, headers=bench_stack.bearer(user_id), compress=0, max_msg_size=0
                )
                viewer = Viewer(socket)
                start = number * watched % len(users)
                await viewer.subscribe(room, users[start : start + watched])
                return viewer

        found = await asyncio.gather(*(open_one(number, user) for number, user in enumerate(viewers)))
        try:
            yield found
        finally:
            await asyncio.gather(*(viewer.close() for viewer in found))
