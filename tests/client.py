"""The tests' client: a user's sockets and REST calls, every wait with a deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple, TypeVar

import aiohttp

from tests.documented import BASE_PATH, Undocumented, check_close, check_frame, check_response
from tests.waiting import LIMIT_S

Frame = dict[str, Any]
Where = Callable[[Frame], bool]
T = TypeVar("T")


class NoSuchFrame(AssertionError):
    """The expected frame did not come; the text holds the frames that did."""


class Ended(NamedTuple):
    """How a socket ended: 1006 is an end without a close frame."""

    code: int
    reason: str


class Reply(NamedTuple):
    """An answer over REST; `body` is its JSON document, None when it has none."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Socket:
    """One WebSocket. All frames stay in `frames`; each one satisfies one wait at most."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.frames: list[Frame] = []
        self.ended: Ended | None = None
        # What the server sent that is not in the gateway's documents.
        self.undocumented: list[Undocumented] = []
        # The local and the remote port. They are read now, since a closed socket doesn't know them.
        self.ports: tuple[int, int] = (ws.get_extra_info("sockname")[1], ws.get_extra_info("peername")[1])
        self._pending: list[Frame] = []
        self._changed = asyncio.Event()
        self._refs = count(1)
        self._reader = asyncio.create_task(self._read(), name="socket reader")

    async def send(self, type_: str, **fields: Any) -> None:
        """Sends a frame, and doesn't wait for an answer."""
        await self.send_text(json.dumps({"type": type_, **fields}, ensure_ascii=False))

    async def send_text(self, text: str) -> None:
        """Sends a text frame as it is."""
        await self.ws.send_str(text)

    async def request(self, type_: str, **fields: Any) -> Frame:
        """Sends a frame with a fresh `ref` and returns the frame that answers it."""
        ref = f"r{next(self._refs)}"
        await self.send(type_, **fields, ref=ref)
        return await self.wait(lambda frame: frame.get("ref") == ref, f"the answer to {type_}")

    async def expect(self, type_: str, **fields: Any) -> Frame:
        """Waits for the next frame of this type with these fields."""
        wanted = {"type": type_, **fields}
        return await self.wait(lambda frame: wanted.items() <= frame.items(), str(wanted))

    async def wait(self, where: Where, what: str = "a frame", timeout_s: float = LIMIT_S) -> Frame:
        """Returns the first frame that fits `where` and satisfied no wait before; the others stay for later
        waits.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (found := self._take(where)) is None:
                    if self.ended is not None:
                        raise NoSuchFrame(f"{what}: the socket ended, {self.ended}, after {self.frames}")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise NoSuchFrame(f"{what} did not come in {timeout_s} s, only {self.frames}") from None
        return found

    async def wait_end(self, timeout_s: float = LIMIT_S) -> Ended:
        """Waits until the server ends the socket, and returns how."""
        await asyncio.wait([self._reader], timeout=timeout_s)
        if self.ended is None:
            raise NoSuchFrame(f"the socket did not end in {timeout_s} s, but got {self.frames}")
        return self.ended

    def collected(self, type_: str, **fields: Any) -> list[Frame]:
        """Returns all frames of this type with these fields that have come so far, waited for or not."""
        wanted = {"type": type_, **fields}
        return [frame for frame in self.frames if wanted.items() <= frame.items()]

    async def close(self) -> None:
        """Closes the socket from this end; safe to repeat."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(LIMIT_S):
                await self.ws.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    def _record_undocumented(self, check: Callable[[T], None], what: T) -> None:
        """Keeps an Undocumented until `leave`: raised here, in a background task, nobody would see it."""
        try:
            check(what)
        except Undocumented as error:
            self.undocumented.append(error)

    def _take(self, where: Where) -> Frame | None:
        for index, frame in enumerate(self._pending):
            if where(frame):
                return self._pending.pop(index)
        return None

    async def _read(self) -> None:
        ended = Ended(1006, "")
        try:
            while (message := await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                frame = json.loads(message.data)
                self._record_undocumented(check_frame, frame)
                self.frames.append(frame)
                self._pending.append(frame)
                self._changed.set()
            if message.type is aiohttp.WSMsgType.CLOSE:
                ended = Ended(message.data, message.extra or "")
                self._record_undocumented(check_close, message.data)
        finally:
            self.ended = ended
            self._changed.set()


class User:
    """A user at one address of the messenger: opens sockets and calls REST with the same token."""

    def __init__(self, http: aiohttp.ClientSession, url: str, user_id: int, token: str) -> None:
        self.http = http
        self.url = url
        self._base = url + BASE_PATH
        self.user_id = user_id
        self.token = token
        self.sockets: list[Socket] = []

    @property
    def bearer(self) -> dict[str, str]:
        """Returns the header with the user's token."""
        return {"Authorization": f"Bearer {self.token}"}

    async def connect(self) -> Socket:
        """Opens a socket and waits for its welcome, which stays in its `frames`."""
        socket = await self.open(f"/ws/{self.user_id}", self.bearer)
        await socket.expect("system", event="connected")
        return socket

    async def open(self, path: str, headers: Mapping[str, str] | None = None, *offers: str) -> Socket:
        """Opens a socket at `path` with these headers and subprotocols, and without the user's token."""
        async with asyncio.timeout(LIMIT_S):
            ws = await self.http.ws_connect(self._base + path, headers=headers, protocols=offers)
        socket = Socket(ws)
        self.sockets.append(socket)
        return socket

    async def leave(self) -> None:
        """Closes everything; raises Undocumented if the server sent anything that is in no document."""
        await asyncio.gather(*(socket.close() for socket in self.sockets))
        for socket in self.sockets:
            for error in socket.undocumented:
                raise error

    async def get(self, path: str, **query: Any) -> Reply:
        """Makes a GET request."""
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any, **headers: str) -> Reply:
        """Makes a POST request with a JSON body; `idempotency_key="k"` sets the header Idempotency-Key."""
        return await self.call("POST", path, body=body, headers=headers)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Makes any request, bytes unchanged; `headers` may replace the token, and "" leaves a header out."""
        sent = self.bearer | {"Content-Type": "application/json"}
        sent |= {name.replace("_", "-").title(): value for name, value in (headers or {}).items()}
        sent = {name: value for name, value in sent.items() if value}
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with self.http.request(
            method, self._base + path, params=params, data=_encoded(body), headers=sent, timeout=timeout
        ) as response:
            content = await response.read()
            document = json.loads(content) if "json" in response.headers.get("Content-Type", "") else None
            check_response(method, path, response.status, response.headers, document)
            return Reply(response.status, document, response.headers.copy())

    async def create_group(self, *others: int, title: str = "a group") -> str:
        """Creates a group with `others` and returns its id."""
        body = {"type": "group", "title": title, "participant_ids": list(others)}
        reply = await self.post("/conversations", body)
        assert reply.status == 201, reply
        conversation_id: str = reply.body["id"]
        return conversation_id


def _encoded(body: Any) -> bytes | None:
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
