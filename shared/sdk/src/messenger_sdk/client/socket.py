"""One WebSocket to the messenger: commands with their answers, and events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp

from messenger_sdk.client.tasks import within
from messenger_sdk.errors import UNEXPECTED, MessengerError, from_frame, unreachable

COMMAND_TIMEOUT_S = 10.0
OPEN_TIMEOUT_S = 10.0
# The gateway pings too. Without a pong to this ping, the socket counts as dead.
PING_S = 20.0
MAX_FRAME_BYTES = 16 * 1024 * 1024
UNAUTHORIZED_CLOSES = (1008, 4005)
_NEVER_AGAIN = 4500

Frame = dict[str, Any]
# aiohttp's versions differ in the type parameters of ClientWebSocketResponse.
WebSocket = Any


class Socket:
    """An open socket. `open_socket` makes it."""

    def __init__(self, ws: WebSocket, connected: Frame) -> None:
        self.user_id: int = connected["user_id"]
        self._ws = ws
        self._last_ref = 0
        self._pending: dict[str, asyncio.Future[Frame]] = {}

    async def command(self, type: str, fields: Frame, timeout_s: float = COMMAND_TIMEOUT_S) -> Frame:
        """Sends a command and returns its answer. Raises MessengerError."""
        self._last_ref += 1
        ref = f"s{self._last_ref}"
        answer = self._pending[ref] = asyncio.get_running_loop().create_future()
        try:
            await self._ws.send_json({"type": type, "ref": ref, **fields})
            return await within(timeout_s, answer)
        except (asyncio.TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            raise unreachable(error) from error
        finally:
            self._pending.pop(ref, None)

    async def read(self, on_event: Callable[[Frame], None]) -> MessengerError:
        """Passes events on until the socket ends. Returns why it ended."""
        async for message in self._ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._receive(json.loads(message.data), on_event)
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(unreachable("the socket ended"))
        return _end(self._ws.close_code)

    async def close(self) -> None:
        """Closes the socket. `read` then ends."""
        await self._ws.close()

    def _receive(self, frame: Frame, on_event: Callable[[Frame], None]) -> None:
        ref = frame.get("ref")
        if ref is None:
            return on_event(frame)
        answer = self._pending.get(ref)
        if answer is None or answer.done():
            return None
        if frame["type"] == "error":
            return answer.set_exception(from_frame(frame))
        return answer.set_result(frame)


async def open_socket(session: aiohttp.ClientSession, url: str, token: str) -> Socket:
    """Opens a socket below `url`, the root of the API. Raises MessengerError."""
    try:
        opening = session.ws_connect(
            f"{url}/ws",
            headers={"Authorization": f"Bearer {token}"},
            heartbeat=PING_S,
            max_msg_size=MAX_FRAME_BYTES,
        )
        ws: WebSocket = await within(OPEN_TIMEOUT_S, opening)
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(error) from error
    except (asyncio.TimeoutError, aiohttp.ClientError, ConnectionError) as error:
        raise unreachable(error) from error
    try:
        return Socket(ws, await _first_frame(ws))
    except BaseException:
        await ws.close()
        raise


async def _first_frame(ws: WebSocket) -> Frame:
    try:
        message = await within(OPEN_TIMEOUT_S, ws.receive())
    except asyncio.TimeoutError as error:
        raise unreachable("no frame came") from error
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise _end(ws.close_code)
    frame: Frame = json.loads(message.data)
    if frame.get("event") != "connected":
        raise MessengerError(UNEXPECTED, "the first frame is not `connected`")
    return frame


def _refusal(error: aiohttp.WSServerHandshakeError) -> MessengerError:
    wait = error.headers.get("Retry-After", "") if error.headers else ""
    return MessengerError(
        "unauthorized" if error.status == 401 else "refused",
        error.message,
        status=error.status,
        retryable=error.status == 429 or error.status >= 500,
        retry_after_s=float(wait) if wait.isdecimal() else None,
    )


def _end(close_code: int | None) -> MessengerError:
    """Returns what the end of a socket means. Codes from 4500 on say that the client should not come back."""
    message = f"the socket was closed with {close_code}"
    if close_code in UNAUTHORIZED_CLOSES:
        return MessengerError("unauthorized", message, status=401)
    if close_code is not None and close_code >= _NEVER_AGAIN:
        return MessengerError("refused", message)
    return unreachable(message)
